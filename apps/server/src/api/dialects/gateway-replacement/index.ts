import type { DialectModule } from '../dialect.js';
import { GatewayReplacementController } from './gateway-replacement.controller.js';

export const gatewayReplacement: DialectModule = {
  name: 'gateway-replacement',
  summary: 'Services by their base URL, which are checked and send no heartbeats, under /service-discovery.',
  root: '/service-discovery',
  controllers: [GatewayReplacementController],
};
