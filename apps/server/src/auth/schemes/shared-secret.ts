import { hash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { AuthenticationModule } from '#core';
import { secret } from '../../settings/fields.js';
import { BEARER_CHALLENGE, bearerIn } from '../presented.js';

/** Shorter, and it can be guessed. Older systems have such: it is told, and taken. */
const STRONG_LENGTH = 16;

const options = z.object({
  SERVICE_DISCOVERY_SECRET: secret(1).optional().meta({
    description: 'a secret that all who register share, as a Bearer token; with nothing else, reading needs none',
    secret: true,
  }),
});

/** One secret for all: who has it may register. */
export const sharedSecret: AuthenticationModule<typeof options> = {
  name: 'shared-secret',
  summary: 'one secret for all who register, as a Bearer token',
  options,
  enabled: ({ SERVICE_DISCOVERY_SECRET: shared }) => shared !== undefined,
  create: async ({ SERVICE_DISCOVERY_SECRET: shared }, { logger }) => {
    if (shared!.length < STRONG_LENGTH)
      logger.warn({ least: STRONG_LENGTH }, 'SERVICE_DISCOVERY_SECRET is short enough to be guessed');
    const right = digest(shared!);
    return {
      challenge: BEARER_CHALLENGE,
      credentialIn: bearerIn,
      identify: (given) => (timingSafeEqual(digest(given), right) ? { name: 'holder', role: 'registrar' } : undefined),
    };
  },
};

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
