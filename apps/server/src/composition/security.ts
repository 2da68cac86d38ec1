import type { Provider } from '@nestjs/common';
import type { Logger } from '#core';
import { Audit } from '../audit/audit.js';
import { createAuthenticator } from '../auth/authentication.js';
import { Authenticator } from '../auth/authenticator.js';
import { Gate } from '../auth/gate.js';
import { peerScheme } from '../auth/peer-scheme.js';
import { Policy } from '../auth/policy.js';
import { RateLimit } from '../auth/rate-limit.js';
import { Sessions } from '../auth/sessions.js';
import { trustIn } from '../http/trusted-proxies.js';
import { Credentials } from '../replica/credentials.js';
import { Peers } from '../replica/peers.js';
import type { Seams } from '../seams.js';
import type { Settings } from '../settings/index.js';
import { LOGGER, SEAMS, SETTINGS } from '../tokens.js';
import { Tickets } from '../watch/tickets.js';

/** Who calls, and what they may. */
export const security: Provider[] = [
  {
    provide: Audit,
    inject: [SETTINGS, LOGGER],
    useFactory: ({ audit }: Settings, logger: Logger) => Audit.open(audit.file, logger),
  },
  {
    provide: Policy,
    inject: [SETTINGS, LOGGER],
    useFactory: ({ authentication }: Settings, logger: Logger) => Policy.create(authentication, logger),
  },
  {
    provide: Authenticator,
    inject: [SEAMS, SETTINGS, Policy, Tickets, Credentials, Peers, LOGGER],
    useFactory: (
      { schemes }: Seams,
      { authentication }: Settings,
      policy: Policy,
      tickets: Tickets,
      credentials: Credentials,
      { ownId }: Peers,
      logger: Logger,
    ) => {
      const peers = credentials.known ? peerScheme(credentials, ownId) : undefined;
      return createAuthenticator({ settings: authentication, modules: schemes, policy, tickets, peers, logger });
    },
  },
  {
    provide: Gate,
    inject: [Authenticator, Policy, Tickets, LOGGER, SETTINGS],
    useFactory: (
      authenticator: Authenticator,
      policy: Policy,
      tickets: Tickets,
      logger: Logger,
      { server }: Settings,
    ) => {
      const limit = server.rateLimit === undefined ? undefined : new RateLimit(server.rateLimit);
      return new Gate(authenticator, policy, tickets, logger, trustIn(server.trustedProxies), limit);
    },
  },
  {
    provide: Sessions,
    inject: [Gate, Authenticator],
    useFactory: (gate: Gate, authenticator: Authenticator) =>
      new Sessions((request) => gate.readmit(request), authenticator),
  },
];
