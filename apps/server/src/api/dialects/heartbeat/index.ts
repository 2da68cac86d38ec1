import type { DialectModule } from '../dialect.js';
import { HeartbeatDialectController } from './heartbeat.controller.js';

export const heartbeat: DialectModule = {
  name: 'heartbeat',
  summary: 'Instances that register and live by heartbeats, under /v1/discovery.',
  root: '/v1/discovery',
  controllers: [HeartbeatDialectController],
};
