import { hash } from 'node:crypto';
import { z } from 'zod';
import { ROLES, type AuthenticationModule, type Identity, type Presented } from '#core';
import { absolutePath, flag } from '../../settings/fields.js';
import { BEARER_CHALLENGE, bearerIn } from '../presented.js';
import { jsonIn, WatchedFiles } from '../watched-files.js';

const options = z
  .object({
    API_KEY_ENABLED: flag().prefault('false').meta({ description: 'authenticate callers by API keys' }),
    API_KEY_FILE: absolutePath().optional().meta({
      description:
        'JSON file with hashes of the keys: {"keys": [{"name", "sha256", "role", "expires"}]}; read again when it changes',
    }),
  })
  .refine(({ API_KEY_ENABLED: enabled, API_KEY_FILE: file }) => !enabled || file !== undefined, {
    path: ['API_KEY_FILE'],
    message: 'is needed with API_KEY_ENABLED',
  });

const keyFile = z.strictObject({
  keys: z.array(
    z.strictObject({
      // Of two keys with one name, one takes the other's place while both are good.
      name: z.string().regex(/^[A-Za-z0-9._/-]{1,100}$/, 'must be 1 to 100 of A–Z, a–z, 0–9, ".", "_", "/" and "-"'),
      sha256: z
        .string()
        .regex(/^[0-9a-fA-F]{64}$/, 'must be the SHA-256 of the key, in 64 hexadecimal digits')
        .toLowerCase(),
      role: z.enum(ROLES).optional(),
      expires: z.iso.datetime({ offset: true }).optional(),
    }),
  ),
});

/** Keys that an operator has given out. A digest without salt or delay will do: nobody can guess 256 bits. */
export const apiKey: AuthenticationModule<typeof options> = {
  name: 'api-key',
  summary: 'a key in X-API-Key or as a Bearer token',
  options,
  enabled: ({ API_KEY_ENABLED: enabled }) => enabled,
  create: async ({ API_KEY_FILE: path }, { logger, changed }) => {
    const keys = await WatchedFiles.open({ paths: [path!], parse: ([text]) => readKeys(text!), changed, logger });
    return {
      challenge: BEARER_CHALLENGE,
      credentialIn: (request) => inHeader(request) ?? bearerIn(request),
      // By its digest: how long that takes tells nothing of any key.
      identify: (key) => keys.value.get(hash('sha256', key, 'hex')),
      stop: () => keys.stop(),
    };
  },
};

function inHeader({ headers }: Presented): string | undefined {
  const key = headers['x-api-key'];
  return typeof key === 'string' ? key : undefined;
}

/** @throws Error */
function readKeys(text: string): ReadonlyMap<string, Identity> {
  const parsed = keyFile.safeParse(jsonIn(text));
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  const identities = new Map<string, Identity>();
  for (const { name, sha256, role, expires } of parsed.data.keys) {
    if (identities.has(sha256)) throw new Error(`two keys are the same, one of them ${name}'s`);
    identities.set(sha256, { name, role, ...(expires !== undefined && { expiresAt: Date.parse(expires) }) });
  }
  return identities;
}
