import { authenticationContract } from '#core/testing';
import { sharedSecret } from './shared-secret.js';

const SECRET = 'correct horse battery'.replaceAll(' ', '-');
const address = '127.0.0.1';

authenticationContract({
  module: sharedSecret,
  environment: async () => ({ SERVICE_DISCOVERY_SECRET: SECRET }),
  known: () => ({ holder: { headers: { authorization: `bearer ${SECRET}` }, address } }),
  unknown: () => [
    { headers: { authorization: `Bearer ${SECRET}x` }, address },
    { headers: { authorization: `Bearer ${SECRET.slice(1)}` }, address },
  ],
  absent: () => [
    { headers: { 'x-api-key': SECRET }, address },
    { headers: { authorization: SECRET }, address },
  ],
});
