import { z } from 'zod';

const count = z.int().min(0);
const indicator = z.looseObject({ status: z.enum(['up', 'down']) });
const checks = z.record(z.string(), indicator);

export const liveAnswer = z.strictObject({ status: z.literal('up') }).meta({ id: 'Liveness' });

export const readyAnswer = z.strictObject({ status: z.enum(['ready', 'not ready']), checks }).meta({ id: 'Readiness' });

export const serverHealthAnswer = z
  .strictObject({
    status: z.enum(['healthy', 'degraded']),
    service_discovery: z.strictObject({
      overall_status: z.enum(['healthy', 'unhealthy']),
      total_services: count,
      healthy_services: count,
      unhealthy_services: count,
    }),
    checks,
  })
  .meta({ id: 'ServerHealth' });
