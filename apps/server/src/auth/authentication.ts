import type { AuthenticationModule, Logger } from '#core';
import type { AuthenticationSettings } from '../settings/authentication.js';
import type { Tickets } from '../watch/tickets.js';
import { Authenticator, type NamedScheme } from './authenticator.js';
import type { Policy } from './policy.js';

export interface AuthenticationParts {
  readonly settings: AuthenticationSettings;
  readonly modules: readonly AuthenticationModule[];
  readonly policy: Policy;
  readonly tickets: Tickets;
  /** Undefined: other replicas are not known. */
  readonly peers: NamedScheme | undefined;
  readonly logger: Logger;
}

/** Starts the schemes that are in force. @throws Error that names the scheme which cannot be. */
export async function createAuthenticator(parts: AuthenticationParts): Promise<Authenticator> {
  const { settings, modules, policy, tickets, peers, logger } = parts;
  const changed = () => {
    authenticator.forget();
    tickets.clear();
  };
  policy.onChange = changed;
  const schemes: NamedScheme[] = [];
  try {
    for (const { name, options } of settings.schemes) {
      const module = modules.find((each) => each.name === name)!;
      const scheme = await module.create(options, { logger, changed });
      schemes.push({ name, scheme, callerOf: (identity) => policy.callerOf(name, identity) });
    }
  } catch (error) {
    for (const { scheme } of schemes) scheme.stop?.();
    throw error;
  }
  const authenticator = new Authenticator(schemes, peers);
  return authenticator;
}
