import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadAllYaml } from '@kubernetes/client-node';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BACKENDS } from '#backends';
import { keyOf, silentLogger, type RegistryBackend } from '#core';
import { registration, useConfigStore, Watcher } from '#core/testing';
import { until } from '../../support/until.js';
import { createSlice, pod } from './support/cluster-objects.js';
import { Place, SERVICES, SLICES } from './support/place.js';

const TEST_MS = 60_000;
const RBAC = join(import.meta.dirname, '../../../k8s/rbac');
const actor = 'tests';
const kubernetes = BACKENDS.find(({ type }) => type === 'kubernetes')!;

let place: Place;
let backends: RegistryBackend[];
let ofCluster: string[];
beforeEach(async () => {
  [backends, ofCluster] = [[], []];
  place = await Place.open();
}, TEST_MS);
afterEach(async () => {
  await Promise.all(backends.map((backend) => backend.stop()));
  await Promise.all(ofCluster.map((path) => place.admin.ask('DELETE', path)));
  await place.close();
}, TEST_MS);

async function open(...given: Parameters<Place['backend']>): Promise<RegistryBackend> {
  const backend = await place.backend(...given);
  backends.push(backend);
  return backend;
}

/** A token of the ServiceAccount that this file of ours makes, and binds to nothing but the least. */
async function accountOf(file: string, changed = (text: string) => text): Promise<string> {
  const text = changed(await readFile(join(RBAC, file), 'utf8'));
  for (const object of loadAllYaml(
    text.replace('namespace: NAMESPACE', `namespace: ${place.namespace}`),
  ) as Applied[]) {
    const { kind } = object;
    const plural = `${kind.toLowerCase()}s`;
    // Of the whole cluster, and so of this test alone.
    if (kind.startsWith('Cluster')) {
      object.metadata.name = place.namespace;
      if (object.roleRef) object.roleRef.name = place.namespace;
      const path = `/apis/rbac.authorization.k8s.io/v1/${plural}`;
      await place.admin.ask('POST', path, object);
      ofCluster.push(`${path}/${place.namespace}`);
    } else {
      await place.admin.ask(
        'POST',
        place.at(kind === 'ServiceAccount' ? SERVICES : `apis/${object.apiVersion}`, plural),
        object,
      );
    }
  }
  return token('service-discovery');
}

async function token(account: string, over: object = {}): Promise<string> {
  const path = `${place.at(SERVICES, 'serviceaccounts', account)}/token`;
  const spec = { expirationSeconds: 3_600, ...over };
  const { status } = await place.admin.ask<{ status: { token: string } }>('POST', path, { spec });
  return status.token;
}

interface Applied {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { name: string };
  readonly roleRef?: { name: string };
}

describe('with the least rights', () => {
  it.each([
    ['read.yaml', {}],
    ['read-all.yaml', { KUBERNETES_NAMESPACE: '*' }],
  ])(
    '%s is enough to read',
    async (file, settings) => {
      const backend = await open(settings, { token: await accountOf(file) });
      await backend.start();
      await backend.ping(AbortSignal.timeout(5_000));
      const watcher = new Watcher(backend);
      await watcher.until('the beginning', () => watcher.events.length > 0);
      await createSlice(place, { service: 'api', endpoints: [pod('api-1', '10.2.0.1')] });
      await watcher.until('the pod', () =>
        [...watcher.instances.values()].some(({ serviceId }) => serviceId === 'api-1'),
      );
      await watcher.stop();
    },
    TEST_MS,
  );

  it(
    'write.yaml is enough to write',
    async () => {
      const backend = await open({ KUBERNETES_WRITE: 'true' }, { token: await accountOf('write.yaml') });
      await backend.start();
      const registrar = backend.registrar!;
      const { instance } = await registrar.register(registration(), { actor });
      await until(async () => (await slices()).length === 1, TEST_MS);
      await registrar.update(keyOf(instance), { kind: 'maintenance', maintenance: { reason: 'disk' } }, { actor });
      await until(async () => (await slices())[0]?.endpoints[0]?.conditions.ready === false, TEST_MS);
      await registrar.deregister(keyOf(instance), { actor, cause: 'deregistered' });
      await until(async () => (await slices()).length === 0, TEST_MS);
      await useConfigStore(backend);
    },
    TEST_MS,
  );

  it.each([
    [
      'no rights',
      async () => {
        await place.admin.ask('POST', place.at(SERVICES, 'serviceaccounts'), { metadata: { name: 'nobody' } });
        return token('nobody');
      },
      /403 .*cannot list resource/,
    ],
    ['a token that nobody has given', async () => 'nonsense', /401 Unauthorized/],
    ['only the right to read', () => accountOf('read.yaml'), /403 .*leases/],
    [
      'no right to delete',
      () => accountOf('write.yaml', (text) => text.replaceAll(', delete]', ']')),
      /does not let us delete leases, delete services, delete endpointslices, delete configmaps in namespace/,
    ],
  ])(
    '%s stops the start, in words',
    async (_, tokenOf, words) => {
      const backend = await open({ KUBERNETES_WRITE: 'true' }, { token: await tokenOf() });
      await expect(backend.start()).rejects.toThrow(words);
    },
    TEST_MS,
  );
});

describe('credentials', () => {
  it(
    'are read anew when they are not taken any more',
    async () => {
      await accountOf('read.yaml');
      const bound = { apiVersion: 'v1', kind: 'Secret', name: 'bound' };
      await place.admin.ask('POST', place.at(SERVICES, 'secrets'), { metadata: { name: 'bound' } });
      const first = await token('service-discovery', { boundObjectRef: bound });
      const file = await place.file(place.admin.kubeconfig({ token: first }));
      const backend = await open({ KUBECONFIG: file });
      await backend.start();
      await place.admin.ask('DELETE', place.at(SERVICES, 'secrets', 'bound'));
      // The API server remembers for some seconds whom it has let in.
      const ping = () => backend.ping(AbortSignal.timeout(5_000));
      const refused = async () =>
        ping().then(
          () => false,
          (error: unknown) => String(error).includes('401'),
        );
      await until(refused, TEST_MS);
      await writeFile(file, place.admin.kubeconfig({ token: await token('service-discovery') }));
      await expect(ping()).resolves.toBeUndefined();
    },
    TEST_MS,
  );

  it.each([
    [
      'a file that is not there',
      async () => '/nowhere/kubeconfig',
      /KUBECONFIG: \/nowhere\/kubeconfig: .*no such file/,
    ],
    ['what is no kubeconfig', () => place.file('nonsense'), /no cluster .* in the kubeconfig/],
    [
      'another authority',
      async () => {
        const config = JSON.parse(place.admin.kubeconfig()) as { clusters: [{ cluster: Record<string, unknown> }] };
        delete config.clusters[0].cluster['certificate-authority'];
        return place.file(JSON.stringify(config));
      },
      /certificate/,
    ],
  ])(
    '%s: the start says so',
    async (_, file, words) => {
      const options = kubernetes.options.parse({ KUBECONFIG: await file(), KUBERNETES_NAMESPACE: place.namespace });
      const backend = await kubernetes.create(options, { logger: silentLogger, now: Date.now, graceMs: 0 });
      backends.push(backend);
      await expect(backend.start()).rejects.toThrow(words);
    },
    TEST_MS,
  );
});

describe('settings', () => {
  it.each([
    [{ KUBERNETES_NAMESPACE: 'Not_One' }, /must be a namespace/],
    [{ KUBERNETES_NAMESPACE: 'a,*' }, /must be a namespace/],
    [{ KUBERNETES_NAMESPACE: '*', KUBERNETES_WRITE: 'true' }, /needs one KUBERNETES_NAMESPACE/],
    [{ KUBERNETES_NAMESPACE: 'a,b', KUBERNETES_WRITE: 'true' }, /needs one KUBERNETES_NAMESPACE/],
    [{ REGISTRY_PREFIX: '/services/' }, /must be a name/],
  ])('%j is refused', (given, words) => {
    expect(() => kubernetes.options.parse(given)).toThrow(words);
  });
});

async function slices(): Promise<{ endpoints: { conditions: { ready: boolean } }[] }[]> {
  const { items } = await place.admin.ask<{ items: { endpoints: { conditions: { ready: boolean } }[] }[] }>(
    'GET',
    place.at(SLICES, 'endpointslices'),
  );
  return items;
}
