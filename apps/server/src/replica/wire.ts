import { z } from 'zod';
import { HEALTH_STATUSES } from '#core';

// What replicas tell each other, as JSON. One of another release may tell more, which is passed over.

const milliseconds = z.number();

/** What a check has found; of which instance is known to who asks. */
export const checkReport = z.object({
  checkId: z.string(),
  type: z.string(),
  status: z.enum(HEALTH_STATUSES),
  output: z.string(),
  timestamp: milliseconds,
  durationMs: milliseconds,
  data: z.record(z.string(), z.json()).optional(),
});

const vitals = z.object({
  lastHeartbeat: milliseconds.optional(),
  lastHealthCheck: milliseconds.optional(),
  loadPercentage: z.number().optional(),
  loadAt: milliseconds.optional(),
  activeConnections: z.number().optional(),
});

/** What a replica has seen of an instance and no registry tells. */
const sighting = z.object({ id: z.string(), vitals, report: checkReport.optional() });
export type Sighting = z.output<typeof sighting>;

export const sightings = sighting.array();
