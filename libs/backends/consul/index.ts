import { z } from 'zod';
import type { BackendModule } from '#core';
import { pemFile, readPem } from '../shared/pem.js';

const options = z
  .object({
    CONSUL_HOST: z.string().min(1).default('127.0.0.1').meta({ description: 'host of a Consul agent' }),
    CONSUL_PORT: z.coerce
      .number('must be a port')
      .int('must be a port')
      .min(1, 'must be a port')
      .max(65_535, 'must be a port')
      .default(8500)
      .meta({ description: 'its HTTP port, or with CONSUL_TLS its HTTPS port' }),
    CONSUL_TOKEN: z.string().optional().meta({ description: 'ACL token', secret: true }),
    CONSUL_DATACENTER: z.string().optional().meta({ description: "datacenter, where it is not the agent's own" }),
    CONSUL_TLS: z.stringbool().default(false).meta({ description: 'true: speak HTTPS to the agent' }),
    CONSUL_TLS_CA: pemFile('who may have signed its certificate; otherwise the authorities of Node'),
    CONSUL_TLS_CERT: pemFile('certificate to show to it'),
    CONSUL_TLS_KEY: pemFile('its key'),
    REGISTRY_PREFIX: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?\/?$/, 'must be a name of lower-case letters, digits and hyphens')
      .transform((text) => text.replace(/\/$/, ''))
      .prefault('service-discovery')
      .meta({ description: 'name of our folder in the KV store, and what the names of our nodes begin with' }),
  })
  .superRefine((all, context) => {
    const issue = (name: keyof typeof all, message: string) =>
      context.addIssue({ code: 'custom', path: [name], message });
    for (const name of ['CONSUL_TLS_CA', 'CONSUL_TLS_CERT', 'CONSUL_TLS_KEY'] as const) {
      if (all[name] !== undefined && !all.CONSUL_TLS) issue(name, 'is of no use without CONSUL_TLS=true');
    }
    if (all.CONSUL_TLS_CERT !== undefined && all.CONSUL_TLS_KEY === undefined)
      issue('CONSUL_TLS_KEY', 'goes with CONSUL_TLS_CERT');
    if (all.CONSUL_TLS_KEY !== undefined && all.CONSUL_TLS_CERT === undefined)
      issue('CONSUL_TLS_CERT', 'goes with CONSUL_TLS_KEY');
  });

export const consul = {
  type: 'consul',
  summary: 'its KV store and catalog, version 1.14 or newer',
  options,
  create: async (given, context) => {
    const { ConsulBackend } = await import('./backend.js');
    return new ConsulBackend(
      {
        host: given.CONSUL_HOST,
        port: given.CONSUL_PORT,
        token: given.CONSUL_TOKEN,
        datacenter: given.CONSUL_DATACENTER,
        tls: given.CONSUL_TLS
          ? {
              ca: await readPem('CONSUL_TLS_CA', given.CONSUL_TLS_CA),
              cert: await readPem('CONSUL_TLS_CERT', given.CONSUL_TLS_CERT),
              key: await readPem('CONSUL_TLS_KEY', given.CONSUL_TLS_KEY),
            }
          : undefined,
        name: given.REGISTRY_PREFIX,
      },
      context,
    );
  },
} satisfies BackendModule<typeof options>;
