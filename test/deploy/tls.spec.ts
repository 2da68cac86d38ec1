import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freePort } from '../servers/ports.js';
import { Authority, type KeyPair } from '../support/certificates.js';
import { HttpClient } from '../support/http-client.js';
import { endProcesses, temporaryFolder } from '../support/process.js';
import { until } from '../support/until.js';
import { mayMount } from './support/mounts.js';
import type { Pod } from './support/pod.js';
import { mayRelease, PATIENCE_MS, Release } from './support/release.js';

const TEST_MS = 240_000;
const SERVICES = '/api/v1/services';
const CHANGED = 'files have changed, and what they say counts from now on';

let release: Release;
beforeEach(async () => {
  release = await Release.inNewNamespace();
});
afterEach(async () => {
  await endProcesses();
  await release.end();
});

/** Where a control plane is missing, or mounts are not allowed; with CI set the runner has failed before, or this fails. */
(mayRelease() && mayMount('--map-root-user') ? describe : describe.skip)('a release that speaks TLS', () => {
  it(
    'serves and is probed by it, knows callers by their certificates, and takes what Secrets and rules say without a restart',
    async () => {
      const folder = await temporaryFolder();
      const [authority, ofCallers] = [await Authority.in(folder), await Authority.in(folder, 'callers')];
      const [first, second] = [await authority.sign('first'), await authority.sign('second')];
      const caller = await ofCallers.sign('caller', 'DNS:web');
      await secret('POST', 'own-tls', await server(first, authority));
      await secret('POST', 'callers-ca', { 'ca.crt': await readFile(ofCallers.cert) });

      const port = await freePort();
      const values = {
        ...{ 'tls.existingSecret': 'own-tls', 'tls.ca': true, 'auth.clientCaSecret': 'callers-ca' },
        ...{ 'service.port': port, 'config.env.SERVICE_PORT': `${port}` },
      };
      const rule = { callers: ['client-certificate:web'], role: 'reader', services: ['*'] };
      await release.helm('install', { ...values, 'auth.rules': [rule] });
      const pod = await release.pod();
      const process = await pod.start();
      expect(process.url).toBe(`https://127.0.0.1:${port}`);
      await expectProbed(pod);

      const ca = await readFile(authority.cert);
      const known = new HttpClient(process.url, {}, { ca, ...(await material(caller)) });
      const stranger = new HttpClient(process.url, {}, { ca });
      expect((await known.get(SERVICES)).status).toBe(200);
      expect((await stranger.get(SERVICES)).status).toBe(401);

      expect(await shownAt(port)).toBe(await serialOf(first));
      await secret('PATCH', 'own-tls', await server(second, authority));
      await pod.refresh();
      await process.logged(({ msg }) => msg === CHANGED, 'a change of files');
      expect(await shownAt(port)).toBe(await serialOf(second));
      expect((await known.get(SERVICES)).status).toBe(200);
      await expectProbed(pod);

      const { template } = (await release.deployment()).spec;
      await release.helm('upgrade', { ...values, 'auth.rules': [{ ...rule, services: ['api'] }] });
      expect((await release.deployment()).spec.template).toEqual(template);
      expect((await known.get(`${SERVICES}/web`)).status).toBe(404);
      await pod.refresh();
      await until(async () => (await known.get(`${SERVICES}/web`)).status === 403, PATIENCE_MS);

      expect(await release.test('127.0.0.1')).toMatch(/Phase:\s+Succeeded/);
      await Promise.all([known.close(), stranger.close()]);
      expect(await pod.stop()).toEqual({ code: 0, signal: null });
      await expect(release.test('127.0.0.1')).rejects.toThrow('ECONNREFUSED');
    },
    TEST_MS,
  );
});

function secret(method: string, name: string, contents: Readonly<Record<string, Buffer>>): Promise<unknown> {
  const data = Object.fromEntries(Object.entries(contents).map(([key, value]) => [key, value.toString('base64')]));
  const path = release.at('api/v1/secrets', method === 'POST' ? '' : name);
  return release.admin.ask(method, path, { metadata: { name }, data });
}

async function server(pair: KeyPair, authority: Authority): Promise<Readonly<Record<string, Buffer>>> {
  const { cert, key } = await material(pair);
  return { 'tls.crt': cert, 'tls.key': key, 'ca.crt': await readFile(authority.cert) };
}

async function material({ cert, key }: KeyPair): Promise<{ readonly cert: Buffer; readonly key: Buffer }> {
  return { cert: await readFile(cert), key: await readFile(key) };
}

async function expectProbed(pod: Pod): Promise<void> {
  expect(await pod.passes('startupProbe')).toBe(true);
  expect(await pod.passes('livenessProbe')).toBe(true);
  await until(() => pod.passes('readinessProbe'), PATIENCE_MS);
}

async function serialOf({ cert }: KeyPair): Promise<string> {
  return new X509Certificate(await readFile(cert)).serialNumber;
}

/** By a new connection. */
async function shownAt(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}
