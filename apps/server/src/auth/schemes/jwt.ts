import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { ROLES, type AuthenticationContext, type AuthenticationModule, type Identity, type Role } from '#core';
import { absolutePath, duration, flag, secret } from '../../settings/fields.js';
import { BEARER_CHALLENGE, bearerIn } from '../presented.js';
import { WatchedFiles } from '../watched-files.js';

const KEYS = ['JWT_SECRET', 'JWT_PUBLIC_KEY_FILE', 'JWT_JWKS_URL'] as const;

const options = z
  .object({
    JWT_ENABLED: flag().prefault('false').meta({ description: 'authenticate callers by JSON web tokens' }),
    JWT_SECRET: secret(32).optional().meta({ description: 'key of tokens that are signed by HS256', secret: true }),
    JWT_PUBLIC_KEY_FILE: absolutePath().optional().meta({
      description: 'PEM file with the public key of tokens: RSA, P-256 or Ed25519; read again when it changes',
    }),
    JWT_JWKS_URL: z
      .url({ protocol: /^https?$/ })
      .optional()
      .meta({ description: 'where the issuer shows its public keys' }),
    JWT_ISSUER: z.string().min(1).optional().meta({ description: 'who must have issued a token (iss)' }),
    JWT_AUDIENCE: z.string().min(1).optional().meta({ description: 'for whom a token must be (aud)' }),
    JWT_ROLE_CLAIM: z.string().min(1).optional().meta({
      description: 'claim that names the role of its subject, or several; otherwise only rules give one',
    }),
    JWT_CLOCK_TOLERANCE: duration()
      .prefault('5')
      .meta({ description: 'by how much the clock of the issuer may differ' }),
  })
  .superRefine((values, context) => {
    if (!values.JWT_ENABLED) return;
    const complain = (name: string, message: string) => context.addIssue({ code: 'custom', path: [name], message });
    // A token that is good elsewhere is not to be good here.
    for (const name of ['JWT_ISSUER', 'JWT_AUDIENCE'] as const)
      if (values[name] === undefined) complain(name, 'is needed with JWT_ENABLED');
    const given = KEYS.filter((name) => values[name] !== undefined);
    if (given.length !== 1)
      complain(given[1] ?? 'JWT_SECRET', `must be the only one of ${KEYS.join(', ')}, one of which is needed`);
  });
type Options = z.output<typeof options>;

/** With what tokens are verified. Which algorithms there are is the key's to say, never the token's. */
type Verify = (token: string) => Promise<Readonly<Record<string, unknown>>>;

/** Until a token is looked at again: its key may be withdrawn. */
const VERIFIED_MS = 60_000;
const JWKS_TIMEOUT_MS = 3_000;
/** Between two questions for keys that are not known. */
const JWKS_COOLDOWN_MS = 5_000;
const JWKS_FRESH_MS = 600_000;
const LONGEST_NAME = 255;
/** What is wrong with the issuer, and says nothing of a token. */
const OF_ISSUER: ReadonlySet<string> = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID']);

/** Tokens of an issuer whom the operator trusts. */
export const jwt: AuthenticationModule<typeof options> = {
  name: 'jwt',
  summary: 'a JSON web token as a Bearer token',
  options,
  enabled: ({ JWT_ENABLED: enabled }) => enabled,
  create: async (values, context) => {
    const { errors } = await import('jose');
    const { verify, stop } = await verifier(values, context);
    return {
      challenge: BEARER_CHALLENGE,
      credentialIn: (request) => {
        const token = bearerIn(request);
        return token?.split('.').length === 3 ? token : undefined;
      },
      identify: async (token) => {
        try {
          return identityOf(await verify(token), values);
        } catch (error) {
          if (error instanceof errors.JOSEError && !OF_ISSUER.has(error.code)) return undefined;
          throw error;
        }
      },
      stop,
    };
  },
};

async function verifier(
  values: Options,
  { changed, logger }: AuthenticationContext,
): Promise<{ verify: Verify; stop?: () => void }> {
  const { createRemoteJWKSet, jwtVerify } = await import('jose');
  const { JWT_SECRET: shared, JWT_PUBLIC_KEY_FILE: path, JWT_JWKS_URL: url } = values;
  const rules = {
    issuer: values.JWT_ISSUER!,
    audience: values.JWT_AUDIENCE!,
    clockTolerance: values.JWT_CLOCK_TOLERANCE / 1_000,
    requiredClaims: ['exp', 'sub'],
  };
  if (shared !== undefined) {
    const key = createSecretKey(shared, 'utf8');
    return { verify: async (token) => (await jwtVerify(token, key, { ...rules, algorithms: ['HS256'] })).payload };
  }
  if (path !== undefined) {
    const keys = await WatchedFiles.open({ paths: [path], parse: ([pem]) => publicKey(pem!), changed, logger });
    const verify: Verify = async (token) => {
      const { key, algorithms } = keys.value;
      return (await jwtVerify(token, key, { ...rules, algorithms })).payload;
    };
    return { verify, stop: () => keys.stop() };
  }
  const times = { timeoutDuration: JWKS_TIMEOUT_MS, cooldownDuration: JWKS_COOLDOWN_MS, cacheMaxAge: JWKS_FRESH_MS };
  const keys = createRemoteJWKSet(new URL(url!), times);
  const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'];
  return { verify: async (token) => (await jwtVerify(token, keys, { ...rules, algorithms })).payload };
}

/** @throws Error for a key that is none, or of a kind that is not taken. */
function publicKey(pem: string): { readonly key: KeyObject; readonly algorithms: string[] } {
  if (pem.includes('PRIVATE KEY')) throw new Error('is a private key: the public one is enough');
  const key = createPublicKey(pem);
  const { namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') return { key, algorithms: ['RS256', 'PS256'] };
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return { key, algorithms: ['ES256'] };
  if (key.asymmetricKeyType === 'ed25519') return { key, algorithms: ['EdDSA', 'Ed25519'] };
  throw new Error('must be a key of RSA, P-256 or Ed25519');
}

function identityOf(
  claims: Readonly<Record<string, unknown>>,
  { JWT_ROLE_CLAIM: claim }: Options,
): Identity | undefined {
  const { sub, exp } = claims;
  // It is logged and stored.
  if (typeof sub !== 'string' || sub === '' || sub.length > LONGEST_NAME || !/^[\x21-\x7e]+$/.test(sub))
    return undefined;
  const role = claim === undefined ? undefined : highest(claims[claim]);
  return { name: sub, role, expiresAt: Math.min(Number(exp) * 1_000, Date.now() + VERIFIED_MS) };
}

function highest(claimed: unknown): Role | undefined {
  const claims: unknown[] = [claimed].flat();
  return ROLES.findLast((role) => claims.includes(role));
}
