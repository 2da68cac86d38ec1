import { z } from 'zod';
import type { ProbeModule } from '#core';

export const ttl: ProbeModule = {
  type: 'ttl',
  summary: 'Nothing is probed: the instance lives by its heartbeats.',
  options: z.object({}),
};
