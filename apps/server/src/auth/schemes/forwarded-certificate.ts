import { z } from 'zod';
import type { AuthenticationModule } from '#core';
import { FORWARDED_CERTIFICATES } from '../../settings/authentication.js';
import { flag } from '../../settings/fields.js';
import { identityIn, nameIn, partsOf } from '../certificate-names.js';

const options = z.object({
  FORWARDED_CERT_ENABLED: flag().prefault('false').meta({
    description: 'authenticate callers by the certificates that TRUSTED_PROXIES tell of in X-Forwarded-Client-Cert',
  }),
});

/** Callers of whom a proxy says which certificate it was shown: Envoy, and the meshes that are made of it. */
export const forwardedCertificate: AuthenticationModule<typeof options> = {
  name: FORWARDED_CERTIFICATES,
  summary: 'a client certificate that a trusted proxy was shown, in X-Forwarded-Client-Cert',
  options,
  enabled: ({ FORWARDED_CERT_ENABLED: enabled }) => enabled,
  create: async () => ({
    challenge: 'ClientCertificate realm="service-discovery"',
    ambient: true,
    credentialIn: ({ headers: { 'x-forwarded-client-cert': header }, trusted }) =>
      typeof header === 'string' && trusted ? header : undefined,
    identify: (header) => {
      // Each proxy adds to what it was sent: the last alone is known to be the word of the one that we trust.
      const last = partsOf(header, ',')?.at(-1);
      const name = last && identityIn((partsOf(last, ';') ?? []).map((part) => nameIn(part, '=')));
      return name ? { name } : undefined;
    },
  }),
};
