import { z } from 'zod';
import { instanceStatusField, LIMITS, portField, protocolField, weightField } from '#core';
import { address, duration, metadata, path, place, serviceId, serviceName, tags } from '../../fields.js';
import { given, oneOfSpellings, spelled } from './spellings.js';

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
    interval: optional(duration({ min: LIMITS.minIntervalMs })).meta({ description: 'at least 1 s' }),
    timeout: optional(duration({ min: LIMITS.minTimeoutMs })).meta({ description: 'at most the interval' }),
    ttl: optional(duration({ min: LIMITS.minTtlMs })).meta({ description: 'for type ttl: the lease; at least 5 s' }),
    success_before_passing: optional(z.int().min(1).max(100)),
    failures_before_critical: optional(z.int().min(1).max(100)),
    deregister_critical_service_after: optional(duration()).meta({ description: '0: never' }),
  })
  .meta({ id: 'HealthCheckInput' });

export type HealthCheckInput = z.output<typeof healthCheckInput>;

export const registrationInput = z
  .object({
    service_name: optional(serviceName),
    name: optional(serviceName),
    service_id: optional(serviceId),
    id: optional(serviceId),
    instance_id: optional(serviceId),
    address: optional(address),
    host: optional(address),
    port: portField,
    protocol: optional(protocolField),
    path: optional(path),
    tags: optional(tags),
    metadata: optional(metadata),
    weight: optional(weightField),
    region: optional(place),
    zone: optional(place),
    status: optional(instanceStatusField),
    ttl: optional(duration({ min: LIMITS.minTtlMs })).meta({ description: 'of the lease; at least 5 s' }),
    enable_tag_override: optional(z.boolean()).meta({ description: 'true: tags that PATCH has set outlive this' }),
    health_check: optional(healthCheckInput),
  })
  .refine(...given('service_name'))
  .refine(...given('address'))
  .transform((body, context) => {
    const { service_name, name, service_id, id, instance_id, address, host, ...rest } = body;
    return {
      service_name: spelled(body, 'service_name', context)!,
      service_id: spelled(body, 'service_id', context),
      address: spelled(body, 'address', context)!,
      ...rest,
    };
  })
  .meta({ id: 'RegistrationInput', ...oneOfSpellings('service_name', 'address') });

/** What somebody asks to be registered: durations in milliseconds, one spelling. */
export type RegistrationInput = z.output<typeof registrationInput>;
