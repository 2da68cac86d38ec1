import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { body, fresh } from '../support/instances.js';
import { endProcesses, temporaryFolder } from '../support/process.js';
import { expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';

const WEB = 'spiffe://example.test/ns/default/sa/web';

/** Who has registered an instance, when the request said so of where it came from. */
async function actorOf({ http }: TestServer, headers: Readonly<Record<string, string>>): Promise<string> {
  const service_name = fresh();
  expect((await http.post('/api/v1/services', body({ service_name }), headers)).status).toBe(201);
  const { data } = await http.get<{ actor: string }[]>(`/api/v1/services/${service_name}/timeline`, headers);
  return data[0]!.actor;
}

describe.each([
  ['of nobody', {}, '127.0.0.1'],
  ['of others', { TRUSTED_PROXIES: '10.0.0.0/8, fd00::/8' }, '127.0.0.1'],
  ['of the one that we speak to', { TRUSTED_PROXIES: '127.0.0.0/8' }, '192.0.2.7'],
  ['of all on the way', { TRUSTED_PROXIES: '127.0.0.0/8, 192.0.2.0/24' }, '2001:db8::1'],
])('X-Forwarded-For, where the word %s counts', (_, environment, address) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start(environment);
  });
  afterAll(() => server.stop());

  it(`says ${address}`, async () => {
    expect(await actorOf(server, { 'x-forwarded-for': '198.51.100.1x, 2001:db8::1, 192.0.2.7' })).toBe(
      `anonymous@${address}`,
    );
  });

  it('says nothing when it is no address', async () => {
    expect(await actorOf(server, { 'x-forwarded-for': `"'; drop` })).toBe('anonymous@127.0.0.1');
  });
});

describe('X-Forwarded-Client-Cert', () => {
  async function start(trusted: string): Promise<TestServer> {
    const rules = join(await temporaryFolder(), 'rules.json');
    const rule = { callers: ['forwarded-certificate:spiffe://example.test/*'], role: 'registrar', services: ['*'] };
    await writeFile(rules, JSON.stringify({ rules: [rule] }));
    const environment = { FORWARDED_CERT_ENABLED: 'true', AUTH_RULES_FILE: rules, TRUSTED_PROXIES: trusted };
    return TestServer.start(environment);
  }
  afterAll(endProcesses);

  const header = (uri: string) => ({ 'x-forwarded-client-cert': `Hash=00;Subject="CN=a,b";URI=${uri}` });

  it('says who asks, from proxies that are trusted', async () => {
    const server = await start('127.0.0.1');
    expect(await actorOf(server, header(WEB))).toBe(`forwarded-certificate:${WEB}@127.0.0.1`);
    expectProblem(await server.http.get('/api/v1/metrics/services', header('https://example.test/')), 403);
    expectProblem(await server.http.get('/api/v1/services', { 'x-forwarded-client-cert': 'URI="' }), 401);
    expectProblem(await server.http.get('/api/v1/services'), 401);
    await server.stop();
  });

  it('says nothing from anybody else', async () => {
    const server = await start('127.0.0.2, 10.0.0.0/8');
    expectProblem(await server.http.get('/api/v1/services', header(WEB)), 401);
    await server.stop();
  });

  it('needs proxies that are trusted', async () => {
    await expect(start('')).rejects.toThrow('FORWARDED_CERT_ENABLED=true: has no effect without TRUSTED_PROXIES');
  });
});
