import { z } from 'zod';
import { portField, protocolField } from '#core';
import { address, path, serviceId, serviceName, tags } from '../../fields.js';
import { nestedMetadata } from '../metadata.js';
import { optional, STATUS_WORDS } from '../words.js';

export const registerInput = z
  .object({
    service_name: serviceName,
    service_id: optional(serviceId),
    host: address,
    port: portField,
    protocol: optional(protocolField),
    path: optional(path),
    health_check_path: optional(path).meta({ description: 'where it is asked how it is (/health)' }),
    metadata: optional(nestedMetadata),
    tags: optional(tags),
  })
  .meta({ id: 'GatewayRegistration' });
export type RegisterInput = z.output<typeof registerInput>;

const key = { service_name: z.string(), service_id: z.string() };
const status = z.enum(STATUS_WORDS);
const place = { service_name: z.string(), base_url: z.string(), status };
const count = z.int().min(0);

export const registeredAnswer = z.strictObject({ status: z.literal('registered'), ...key, base_url: z.string() });
export const deregisteredAnswer = z.strictObject({ status: z.literal('deregistered'), ...key });
export const placeAnswer = z.strictObject(place);

const serviceAnswer = z
  .strictObject({ ...place, tags: z.array(z.string()), metadata: z.record(z.string(), z.unknown()) })
  .meta({ id: 'GatewayService' });
export const servicesAnswer = z.strictObject({ services: z.array(serviceAnswer) });

const healthAnswer = z
  .strictObject({
    status,
    endpoint: z.string(),
    last_heartbeat: z.iso.datetime().nullable().meta({ description: 'or when its check has last succeeded' }),
    health_data: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: 'what its own health answer said; null: no JSON object, or not asked yet' }),
  })
  .meta({ id: 'GatewayServiceHealth' });
export const aggregatedAnswer = z.strictObject({
  overall_status: z.enum(['healthy', 'unhealthy']),
  timestamp: z.iso.datetime(),
  services: z.record(z.string(), healthAnswer),
  total_services: count,
  healthy_services: count,
  unhealthy_services: count,
});
