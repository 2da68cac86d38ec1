import { z } from 'zod';
import { portField } from '#core';
import { address, serviceId, serviceName } from '../../fields.js';
import { nestedMetadata } from '../metadata.js';
import { optional, STATUS_WORDS } from '../words.js';

export const registerInput = z
  .object({
    service_name: serviceName,
    instance_id: optional(serviceId),
    host: address,
    port: portField,
    health_endpoint: optional(z.string().min(1).max(2_048)).meta({
      description: 'a path of the instance, or a URL: it is asked how it is, beside its heartbeats',
    }),
    metadata: optional(nestedMetadata),
  })
  .meta({ id: 'HeartbeatDialectRegistration' });
export type RegisterInput = z.output<typeof registerInput>;

export const beatInput = z
  .object({ service_name: serviceName, instance_id: serviceId })
  .meta({ id: 'HeartbeatDialectHeartbeat' });
export type BeatInput = z.output<typeof beatInput>;

const key = { service_name: z.string(), instance_id: z.string() };
const time = z.iso.datetime().nullable();

export const registeredAnswer = z.strictObject({
  status: z.literal('registered'),
  ...key,
  ttl_seconds: z.number(),
  heartbeat_interval_seconds: z.number(),
});
export const beatAnswer = z.strictObject({ status: z.literal('ok'), ...key });
export const unregisteredAnswer = z.strictObject({ status: z.literal('unregistered'), ...key });

const instanceAnswer = z
  .strictObject({
    instance_id: z.string(),
    host: z.string(),
    port: z.int(),
    health_endpoint: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()),
    status: z.enum(STATUS_WORDS),
    load_percentage: z.number().nullable(),
    last_heartbeat: time,
    registered_at: time,
  })
  .meta({ id: 'HeartbeatDialectInstance' });
export type InstanceAnswer = z.output<typeof instanceAnswer>;

export const serviceAnswer = z.strictObject({ service_name: z.string(), instances: z.array(instanceAnswer) });
export const servicesAnswer = z.strictObject({ services: z.record(z.string(), z.array(instanceAnswer)) });
