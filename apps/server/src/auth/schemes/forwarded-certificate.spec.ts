import { type Presented } from '#core';
import { authenticationContract } from '#core/testing';
import { forwardedCertificate } from './forwarded-certificate.js';

const WEB = 'spiffe://example.test/ns/default/sa/web';
const BY = 'By=spiffe://example.test/ns/default/sa/discovery';
const HASH = `Hash=${'0'.repeat(64)}`;

function forwarded(header: string | readonly string[], trusted = true): Presented {
  return { headers: { 'x-forwarded-client-cert': header }, address: '127.0.0.6', trusted };
}

authenticationContract({
  module: forwardedCertificate,
  environment: async () => ({ FORWARDED_CERT_ENABLED: 'true' }),
  known: () => ({
    [WEB]: forwarded(`${BY};${HASH};Subject="CN=a, O=\\"b;URI=spiffe://c\\"";URI=${WEB};DNS=web.example.test`),
    'web.example.test': forwarded(`${HASH};DNS=web.example.test;DNS=other.example.test`),
    // What came before the last proxy's word may be anybody's.
    'spiffe://last': forwarded(`${HASH};URI=${WEB}, ${HASH};uri="spiffe://last"`),
  }),
  unknown: () => [
    forwarded(''),
    forwarded(`${BY};${HASH}`),
    forwarded(`${HASH};Subject="CN=web"`),
    forwarded(`${HASH};URI=${WEB},${HASH}`),
    forwarded(`${HASH};Subject=";URI=${WEB}`),
    forwarded('URI=a b'),
    forwarded(`URI=${'x'.repeat(300)}`),
  ],
  absent: () => [forwarded(`${HASH};URI=${WEB}`, false), forwarded([`URI=${WEB}`, `URI=${WEB}`])],
});
