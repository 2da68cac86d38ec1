import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Authority, type KeyPair } from '../support/certificates.js';
import { untilAnswer } from '../support/changes.js';
import { register, type Service } from '../support/instances.js';
import { endProcesses, temporaryFolder, TEST_MS } from '../support/process.js';
import { Target } from '../support/target.js';
import { registriesOf } from './support/registries.js';
import { allKnow, Replica, SECRET } from './support/replicas.js';

let target: Target;
beforeAll(async () => {
  target = await Target.start();
});
afterAll(() => target.stop());
afterEach(endProcesses);

interface Health {
  readonly checks: readonly { readonly output: string; readonly timestamp: string | null }[];
}

function environmentOf({ cert, key }: KeyPair, ca: string) {
  return { TLS_ENABLED: 'true', TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_CA_FILE: ca };
}

describe.each(registriesOf('etcd'))('replicas on $type that speak TLS', (registry) => {
  it(
    'ask each other by it, those whose certificates are of one authority, for their addresses or the same name',
    async () => {
      const folder = await temporaryFolder();
      const authority = await Authority.in(folder);
      const stranger = await Authority.in(folder, 'stranger');
      const pairs = [await authority.sign('a'), await authority.sign('b', 'DNS:discovery.test,IP:127.0.0.1')];
      // Reached by an address that is not in it, it is known by the name that it shares with the second.
      pairs.push(await authority.sign('c', 'DNS:discovery.test'));
      const environment = { ...(await registry.environment()), ...SECRET };
      const tls = { ca: await readFile(authority.cert), checkServerIdentity: () => undefined };
      const replicas = await Promise.all(
        pairs.map((pair) => Replica.start({ ...environment, ...environmentOf(pair, authority.cert) }, tls)),
      );
      await allKnow(replicas, 3);
      const { data } = await replicas[0]!.http.get<Service>('/api/v1/services/service-discovery');
      expect(data.instances.map(({ protocol }) => protocol)).toEqual(['https', 'https', 'https']);

      // Whichever of them makes the check, the second knows the others.
      for (const id of ['web-1', 'web-2', 'web-3', 'web-4', 'web-5', 'web-6']) {
        await register(replicas[0]!.http, {
          ...{ service_name: 'web', service_id: id, port: target.port },
          health_check: { type: 'http', http_path: '/', interval: 3_600 },
        });
        const { http } = replicas[1]!;
        await untilAnswer<Health>(http, `/api/v1/health/${id}`, ({ data }) => data.checks[0]!.timestamp !== null, id);
      }
      // Of another authority: it asks nobody, and makes every check itself.
      const other = await stranger.sign('d');
      const alone = await Replica.start(
        { ...environment, ...environmentOf(other, stranger.cert) },
        { ca: await readFile(stranger.cert) },
      );
      await alone.server.logged(
        ({ msg, error }) => /does not answer/.test(msg) && /certificate/.test(String(error)),
        'a refusal',
      );
    },
    TEST_MS,
  );
});
