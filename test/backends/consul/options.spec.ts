import { describe, expect, it } from '@jest/globals';
import { createBackend } from './support/consul-under-test.js';

describe('variables', () => {
  it.each<[Record<string, string>, string]>([
    [{ CONSUL_TLS_CA: 'ca.pem' }, 'CONSUL_TLS_CA'],
    [{ CONSUL_TLS: 'true', CONSUL_TLS_CERT: 'cert.pem' }, 'CONSUL_TLS_KEY'],
    [{ CONSUL_TLS: 'maybe' }, 'CONSUL_TLS'],
    [{ CONSUL_PORT: '0' }, 'CONSUL_PORT'],
    [{ REGISTRY_PREFIX: '/services/' }, 'REGISTRY_PREFIX'],
  ])('are refused that make no sense: %j', async (environment, variable) => {
    await expect(createBackend(environment)).rejects.toMatchObject({ issues: [{ path: [variable] }] });
  });
});
