import type { AuthenticationScheme } from '#core';
import type { Credentials } from '../replica/credentials.js';
import type { NamedScheme } from './authenticator.js';
import { Caller } from './caller.js';

const PEER = new Caller('replica', [{ role: 'peer', services: [] }]);

/** Other replicas, by the token that REPLICA_SECRET makes for this one. Of no list: nobody switches it on or off. */
export function peerScheme(credentials: Credentials, ownId: string): NamedScheme {
  const scheme: AuthenticationScheme = {
    challenge: 'Replica realm="service-discovery"',
    credentialIn: ({ headers: { authorization } }) =>
      typeof authorization === 'string' && credentials.isToken(authorization) ? authorization : undefined,
    identify: (token) => (credentials.admits(token, ownId) ? { name: ownId } : undefined),
  };
  return { name: 'replica', scheme, callerOf: () => PEER };
}
