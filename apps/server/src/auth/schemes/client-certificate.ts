import { z } from 'zod';
import type { AuthenticationModule } from '#core';
import { CLIENT_CERTIFICATES } from '../../settings/authentication.js';
import { absolutePath } from '../../settings/fields.js';
import { identityIn, nameIn, partsOf } from '../certificate-names.js';

const options = z.object({
  TLS_CLIENT_CA_FILE: absolutePath().optional().meta({
    description:
      'PEM file: authenticate callers by certificates that these authorities have signed; read again when it changes',
  }),
});

/** Callers who have shown a certificate in the handshake of TLS, which has verified it. */
export const clientCertificate: AuthenticationModule<typeof options> = {
  name: CLIENT_CERTIFICATES,
  summary: 'a client certificate, by its subject alternative name',
  options,
  enabled: ({ TLS_CLIENT_CA_FILE: path }) => path !== undefined,
  create: async () => ({
    challenge: 'ClientCertificate realm="service-discovery"',
    ambient: true,
    credentialIn: ({ certificate }) =>
      certificate && `${certificate.verified ? certificate.expiresAt : UNVERIFIED} ${certificate.altNames}`,
    identify: (credential) => {
      const at = credential.indexOf(' ');
      const name = identityIn((partsOf(credential.slice(at + 1), ',') ?? []).map((part) => nameIn(part, ':')));
      return name === undefined ? undefined : { name, expiresAt: Number(credential.slice(0, at)) };
    },
  }),
};

/** Of one that nobody has vouched for: it has ended long ago. */
const UNVERIFIED = 0;
