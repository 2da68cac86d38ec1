import { describe, expect, it } from '@jest/globals';
import { silentLogger, type Presented } from '#core';
import { authenticationContract } from '#core/testing';
import { clientCertificate } from './client-certificate.js';

const LATER = Date.UTC(2999, 0);
const environment = async () => ({ TLS_CLIENT_CA_FILE: '/ca.crt' });
const address = '127.0.0.1';

function showing(altNames: string, expiresAt = LATER, verified = true): Presented {
  return { headers: {}, address, certificate: { verified, altNames, expiresAt } };
}

const WEB = 'spiffe://example.test/ns/default/sa/web';

authenticationContract({
  module: clientCertificate,
  environment,
  known: () => ({
    [WEB]: showing(`DNS:web.example.test, URI:${WEB}, email:web@example.test`),
    'web.example.test': showing('IP Address:127.0.0.1, email:web@example.test, DNS:web.example.test'),
    'web@example.test': showing('email:web@example.test'),
  }),
  unknown: () => [
    showing(''),
    showing('IP Address:127.0.0.1'),
    // What is in quotes is one name, whatever it looks like.
    showing(`DirName:"CN = x, URI:${WEB}"`),
    showing(`URI:"http://a b, DNS:web.example.test"`),
    showing(`URI:"${WEB}`),
  ],
  absent: () => [],
});

describe('a client certificate', () => {
  it('ends when it does, and has ended long ago when nobody has signed it whom we know', async () => {
    const values = clientCertificate.options.parse(await environment());
    const scheme = await clientCertificate.create(values, { logger: silentLogger, changed: () => undefined });
    const ends = async (presented: Presented) => (await scheme.identify(scheme.credentialIn(presented)!))?.expiresAt;
    expect(await ends(showing(`URI:${WEB}`, 1_000))).toBe(1_000);
    expect(await ends(showing(`URI:${WEB}`, LATER, false))).toBe(0);
  });
});
