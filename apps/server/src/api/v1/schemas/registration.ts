import { z } from 'zod';
import {
  addressField,
  durationField,
  instanceStatusField,
  LIMITS,
  metadataField,
  pathField,
  placeField,
  portField,
  protocolField,
  serviceIdField,
  serviceNameField,
  tagsField,
  weightField,
} from '#core';
import { oneOfSpellings, spelled } from './spellings.js';

/** Absent and null are the same to the clients of older systems. */
function optional<T extends z.ZodType>(field: T) {
  return field.nullish().transform((value) => value ?? undefined);
}

/** What every type of check has in common; each probe adds its own fields and reads them itself. */
export const healthCheckInput = z
  .looseObject({
    enabled: optional(z.boolean()).meta({ description: 'false: no check (default true)' }),
    type: optional(z.string().min(1).max(50)).meta({
      description: 'name of a probe; without it, what the other fields say',
    }),
    interval: optional(durationField({ min: LIMITS.minIntervalMs })),
    timeout: optional(durationField({ min: LIMITS.minTimeoutMs })),
    ttl: optional(durationField({ min: LIMITS.minTtlMs })).meta({ description: 'for type ttl: the lease' }),
    success_before_passing: optional(z.int().min(1).max(100)),
    failures_before_critical: optional(z.int().min(1).max(100)),
    deregister_critical_service_after: optional(durationField()).meta({ description: '0: never' }),
  })
  .meta({ id: 'HealthCheckInput' });

export type HealthCheckInput = z.output<typeof healthCheckInput>;

export const registrationInput = z
  .object({
    service_name: optional(serviceNameField),
    name: optional(serviceNameField),
    service_id: optional(serviceIdField),
    id: optional(serviceIdField),
    instance_id: optional(serviceIdField),
    address: optional(addressField),
    host: optional(addressField),
    port: portField,
    protocol: optional(protocolField),
    path: optional(pathField),
    tags: optional(tagsField),
    metadata: optional(metadataField),
    weight: optional(weightField),
    region: optional(placeField),
    zone: optional(placeField),
    status: optional(instanceStatusField),
    ttl: optional(durationField({ min: LIMITS.minTtlMs })),
    enable_tag_override: optional(z.boolean()),
    health_check: optional(healthCheckInput),
  })
  .transform((body, context) => {
    const { name, id, instance_id, host, ...rest } = body;
    return {
      ...rest,
      service_name: spelled(body, 'service_name', true, context)!,
      service_id: spelled(body, 'service_id', false, context),
      address: spelled(body, 'address', true, context)!,
    };
  })
  .meta({ id: 'RegistrationInput', ...oneOfSpellings('service_name', 'address') });

/** What somebody asks to be registered: durations in milliseconds, one spelling. */
export type RegistrationInput = z.output<typeof registrationInput>;
