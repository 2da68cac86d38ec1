import type { AuthenticationModule } from '#core';
import { apiKey } from './api-key.js';
import { clientCertificate } from './client-certificate.js';
import { forwardedCertificate } from './forwarded-certificate.js';
import { jwt } from './jwt.js';
import { sharedSecret } from './shared-secret.js';

/** Every way to tell who asks, in the order in which they are tried. */
export const SCHEMES: readonly AuthenticationModule[] = [
  apiKey,
  sharedSecret,
  jwt,
  forwardedCertificate,
  clientCertificate,
];
