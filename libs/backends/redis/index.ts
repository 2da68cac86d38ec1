import { z } from 'zod';
import type { BackendModule } from '#core';
import { pemFile, readPem } from '../shared/pem.js';
import { ADDRESS_FORM, Credentials, parseAddress, type Address } from './address.js';

/** No braces, which part a key in a cluster, and nothing that is a pattern in an ACL. */
const PREFIX = /^[A-Za-z0-9._:/-]+$/;
const TLS = ['REDIS_TLS_CA', 'REDIS_TLS_CERT', 'REDIS_TLS_KEY'] as const;

const secret = (description: string) => z.string().optional().meta({ description, secret: true });

const options = z
  .object({
    REDIS_URL: z
      .string()
      .prefault('redis://127.0.0.1:6379')
      .transform((text, context): Address => {
        const address = parseAddress(text);
        if (address) return address;
        context.addIssue(ADDRESS_FORM);
        return z.NEVER;
      })
      .meta({ description: 'redis://, redis+sentinel:// or redis+cluster://host:port,…; rediss for TLS' }),
    REDIS_USER: z.string().optional().meta({ description: 'user of the ACL; otherwise the default one' }),
    REDIS_PASSWORD: secret('password, if REDIS_URL has none'),
    REDIS_SENTINEL_PASSWORD: secret('password of the sentinels themselves'),
    REDIS_TLS_CA: pemFile('who may have signed the certificate of Redis; otherwise the authorities of Node'),
    REDIS_TLS_CERT: pemFile('certificate to show to Redis'),
    REDIS_TLS_KEY: pemFile('its key'),
    REGISTRY_PREFIX: z
      .string()
      .regex(PREFIX, 'must be made of A–Z, a–z, 0–9, ".", "_", "-", ":" and "/"')
      .prefault('service-discovery')
      .meta({ description: 'what the names of all our keys begin with, in braces' }),
  })
  .superRefine((all, context) => {
    const issue = (name: keyof typeof all, message: string) =>
      context.addIssue({ code: 'custom', path: [name], message });
    const { credentials, kind, tls } = all.REDIS_URL;
    if (credentials && all.REDIS_PASSWORD !== undefined)
      issue('REDIS_PASSWORD', 'contradicts REDIS_URL, which has one');
    if (all.REDIS_USER !== undefined && all.REDIS_PASSWORD === undefined)
      issue('REDIS_USER', 'goes with REDIS_PASSWORD');
    if (all.REDIS_SENTINEL_PASSWORD !== undefined && kind !== 'sentinel')
      issue('REDIS_SENTINEL_PASSWORD', 'goes with redis+sentinel:// in REDIS_URL');
    if ((all.REDIS_TLS_CERT === undefined) !== (all.REDIS_TLS_KEY === undefined))
      issue('REDIS_TLS_CERT', 'goes with REDIS_TLS_KEY, and that with this');
    for (const name of TLS) if (all[name] !== undefined && !tls) issue(name, 'goes with rediss:// in REDIS_URL');
  });

export const redis = {
  type: 'redis',
  summary: 'version 7 or newer: alone, with sentinels or as a cluster',
  options,
  create: async (given, context) => {
    const [ca, cert, key] = await Promise.all(TLS.map((name) => readPem(name, given[name])));
    const { RedisBackend } = await import('./backend.js');
    const { REDIS_URL: address, REDIS_USER: user, REDIS_PASSWORD: password } = given;
    const connection = {
      address: password === undefined ? address : { ...address, credentials: new Credentials(password, user) },
      tls: { ca, cert, key },
      sentinelPassword: given.REDIS_SENTINEL_PASSWORD,
      prefix: given.REGISTRY_PREFIX,
    };
    return new RedisBackend(connection, context);
  },
} satisfies BackendModule<typeof options>;
