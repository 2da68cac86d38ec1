import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keyOf, silentLogger, type Logger, type RegistryBackend, type Registrar } from '#core';
import { registration, Watcher } from '#core/testing';
import { until } from '../../support/until.js';
import { createService, createSlice, pod } from './support/cluster-objects.js';
import { LEASES, Place, SERVICES, SLICES } from './support/place.js';

const TEST_MS = 60_000;
const actor = 'tests';

let place: Place;
let backend: RegistryBackend;
let registrar: Registrar;
beforeEach(async () => {
  place = await Place.open();
  backend = await place.backend({ KUBERNETES_WRITE: 'true' });
  await backend.start();
  registrar = backend.registrar!;
}, TEST_MS);
afterEach(async () => {
  await backend.stop();
  await place.close();
}, TEST_MS);

interface Slice {
  readonly metadata: { readonly name: string; readonly labels: Record<string, string> };
  readonly addressType: string;
  readonly ports: readonly { readonly port: number }[];
  readonly endpoints: readonly {
    readonly addresses: readonly string[];
    readonly zone?: string;
    readonly conditions: { readonly ready: boolean };
  }[];
}

async function items<T>(group: string, plural: string): Promise<readonly T[]> {
  return (await place.admin.ask<{ items: T[] }>('GET', place.at(group, plural))).items;
}

function slices(): Promise<readonly Slice[]> {
  return items<Slice>(SLICES, 'endpointslices');
}

async function shown(): Promise<readonly string[]> {
  const all = await slices();
  return all
    .flatMap(({ ports, endpoints }) =>
      endpoints.map(
        ({ addresses, conditions }) => `${addresses[0]}:${ports[0]!.port}${conditions.ready ? '' : ' not ready'}`,
      ),
    )
    .sort();
}

function isShown(...endpoints: readonly string[]): Promise<void> {
  return until(async () => JSON.stringify(await shown()) === JSON.stringify([...endpoints].sort()), 20_000);
}

const POLICIES = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
const BINDINGS = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings';

/** While it runs, Kubernetes refuses EndpointSlices here whose names begin like that. */
async function refusingSlices(prefix: string, work: () => Promise<void>): Promise<void> {
  const { admin, namespace: name } = place;
  const rule = { apiGroups: ['discovery.k8s.io'], apiVersions: ['v1'], operations: ['CREATE'] };
  const policy = {
    matchConstraints: { resourceRules: [{ ...rule, resources: ['endpointslices'] }] },
    validations: [{ expression: `!object.metadata.name.startsWith('${prefix}')` }],
  };
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': name } };
  const binding = { policyName: name, validationActions: ['Deny'], matchResources: { namespaceSelector } };
  const slice = { metadata: { name: prefix }, addressType: 'IPv4', endpoints: [] };
  const isRefused = () =>
    admin.ask('POST', `${place.at(SLICES, 'endpointslices')}?dryRun=All`, slice).then(
      () => false,
      (error: unknown) => String(error).includes('422'),
    );
  await admin.ask('POST', POLICIES, { metadata: { name }, spec: policy });
  try {
    await admin.ask('POST', BINDINGS, { metadata: { name }, spec: binding });
    await until(isRefused, 30_000);
    await work();
  } finally {
    await admin.ask('DELETE', `${BINDINGS}/${name}`);
    await admin.ask('DELETE', `${POLICIES}/${name}`);
  }
}

describe('what is registered', () => {
  it(
    'is shown at once though Kubernetes refuses the EndpointSlices of another service',
    async () => {
      const refusals: object[] = [];
      const warn: Logger['warn'] = (fields) => void refusals.push(fields);
      const debug: Logger['debug'] = (fields) => {
        if ('service' in fields) refusals.push(fields);
      };
      const own = await place.backend({ KUBERNETES_WRITE: 'true' }, { logger: { ...silentLogger, warn, debug } });
      await own.start();
      await backend.stop();
      await refusingSlices('refused', async () => {
        const begun = performance.now();
        await own.registrar!.register(registration({ serviceName: 'refused' }), { actor });
        await until(() => refusals.length > 0, 20_000);
        const addresses = [1, 2, 3, 4, 5].map((i) => `10.3.0.${i}`);
        for (const [i, address] of addresses.entries()) {
          await own.registrar!.register(registration({ serviceId: `${i}`, address }), { actor });
          await isShown(...addresses.slice(0, i + 1).map((each) => `${each}:8080`));
        }
        // When it changes, and at each comparison: not whenever something else does.
        expect(refusals.length).toBeLessThanOrEqual(2 + (performance.now() - begun) / 7_500);
        expect(refusals[0]).toMatchObject({ service: 'refused', reason: expect.stringContaining('422') });
      });
      await own.stop();
    },
    TEST_MS,
  );

  it(
    'is a Lease, and a Service that kube-proxy and DNS know',
    async () => {
      const given = [
        registration({ serviceId: 'a', address: '10.3.0.1', port: 8080, zone: 'eu-1a' }),
        registration({ serviceId: 'b', address: '10.3.0.2', port: 8080 }),
        registration({ serviceId: 'c', address: '10.3.0.3', port: 9090 }),
        registration({ serviceId: 'd', address: '2001:db8::1', port: 8080 }),
      ];
      for (const each of given) await registrar.register(each, { actor });
      await isShown('10.3.0.1:8080', '10.3.0.2:8080', '10.3.0.3:9090', '2001:db8::1:8080');
      const [service] = await items<{ metadata: object; spec: object }>(SERVICES, 'services');
      expect(service).toMatchObject({
        metadata: { name: 'api', labels: { 'app.kubernetes.io/managed-by': 'service-discovery' } },
        spec: { clusterIP: expect.stringMatching(/^10\./), ports: [{ port: 8080 }] },
      });
      expect(service!.spec).not.toHaveProperty('selector');
      const leases = await items<{ spec: { holderIdentity: string; leaseDurationSeconds: number } }>(LEASES, 'leases');
      expect(leases.map(({ spec }) => spec.holderIdentity).sort()).toEqual(['api/a', 'api/b', 'api/c', 'api/d']);
      expect(leases[0]!.spec.leaseDurationSeconds).toBe(60);
      expect((await slices()).flatMap(({ endpoints }) => endpoints.flatMap(({ zone }) => zone ?? []))).toEqual([
        'eu-1a',
      ]);
      // What it shows to others it does not take for theirs.
      expect((await backend.list()).instances).toHaveLength(given.length);
    },
    TEST_MS,
  );

  it(
    'gets no traffic while it is critical or in maintenance',
    async () => {
      await registrar.register(registration({ serviceId: 'a', address: '10.3.0.1' }), { actor });
      await registrar.register(registration({ serviceId: 'b', address: '10.3.0.2' }), { actor });
      const maintenance = { reason: 'disk' };
      await registrar.update({ serviceName: 'api', serviceId: 'a' }, { kind: 'maintenance', maintenance }, { actor });
      await registrar.renew({ serviceName: 'api', serviceId: 'b' }, { status: 'critical' }, { actor });
      await isShown('10.3.0.1:8080 not ready', '10.3.0.2:8080 not ready');
      await registrar.update({ serviceName: 'api', serviceId: 'a' }, { kind: 'maintenance' }, { actor });
      await isShown('10.3.0.1:8080', '10.3.0.2:8080 not ready');
    },
    TEST_MS,
  );

  it(
    'is no more to be seen when it has left, the Service with the last of it',
    async () => {
      const given = ['a', 'b'].map((serviceId, i) => registration({ serviceId, address: `10.3.0.${i + 1}` }));
      for (const each of given) await registrar.register(each, { actor });
      await isShown('10.3.0.1:8080', '10.3.0.2:8080');
      await registrar.deregister(keyOf(given[0]!), { actor, cause: 'deregistered' });
      await isShown('10.3.0.2:8080');
      await registrar.deregister(keyOf(given[1]!), { actor, cause: 'deregistered' });
      await until(async () => (await items(SERVICES, 'services')).length === 0, 20_000);
      expect(await slices()).toEqual([]);
      expect(await items(LEASES, 'leases')).toEqual([]);
    },
    TEST_MS,
  );

  it.each([
    ['a name that no Service can have', { serviceName: 'not_a.service' }],
    ['an address that cannot be routed to', { address: '127.0.0.1' }],
    ['a host name for an address', { address: 'db.example.org' }],
  ])(
    'is registered with %s, and not shown',
    async (_, over) => {
      await registrar.register(registration(over), { actor });
      await registrar.register(registration({ serviceName: 'last', address: '10.3.0.9' }), { actor });
      await isShown('10.3.0.9:8080');
      expect((await backend.list()).instances).toHaveLength(2);
    },
    TEST_MS,
  );

  it(
    'is shown with its address as Kubernetes wants it written; one that it refuses keeps nobody out',
    async () => {
      const addresses = ['2001:DB8:0::1', '2001:db8::2', '::ffff:10.0.0.1'];
      for (const [i, address] of addresses.entries())
        await registrar.register(registration({ serviceId: `id-${i}`, address }), { actor });
      await isShown('2001:db8::1:8080', '2001:db8::2:8080');
      expect((await backend.list()).instances.map(({ address }) => address).sort()).toEqual([...addresses].sort());
    },
    TEST_MS,
  );

  it(
    'is shown in slices of which one change writes one',
    async () => {
      const ids = Array.from({ length: 300 }, (_, i) => `id-${i}`);
      const given = ids.map((serviceId, i) => registration({ serviceId, address: `10.4.${i >> 8}.${i & 255}` }));
      await Promise.all(given.map((each) => registrar.register(each, { actor })));
      await until(async () => (await shown()).length === 300, 20_000);
      const before = await slices();
      expect(before.length).toBeGreaterThan(2);
      await registrar.deregister(keyOf(given[0]!), { actor, cause: 'deregistered' });
      await until(async () => (await shown()).length === 299, 20_000);
      const versions = (all: readonly Slice[]) => all.map(({ metadata }) => JSON.stringify(metadata)).sort();
      const same = versions(await slices()).filter((each) => versions(before).includes(each));
      expect(same).toHaveLength(before.length - 1);
    },
    TEST_MS,
  );

  it(
    'is no more to be seen when it has left and the server stops',
    async () => {
      await registrar.register(registration({ address: '10.3.0.1' }), { actor });
      await isShown('10.3.0.1:8080');
      await registrar.deregister(keyOf(registration()), { actor, cause: 'deregistered' });
      await backend.stop();
      expect(await shown()).toEqual([]);
      expect(await items(SERVICES, 'services')).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'is shown again when somebody has changed the picture',
    async () => {
      await registrar.register(registration({ address: '10.3.0.1' }), { actor });
      await isShown('10.3.0.1:8080');
      const [slice] = await slices();
      await place.admin.ask('DELETE', place.at(SLICES, 'endpointslices', slice!.metadata.name));
      await isShown('10.3.0.1:8080');
    },
    TEST_MS,
  );
});

describe('a Service of somebody else', () => {
  it(
    'is refused, and not touched',
    async () => {
      await createService(place, 'api');
      await createSlice(place, { service: 'api', endpoints: [pod('api-1', '10.2.0.1')] });
      const [before] = await items(SERVICES, 'services');
      await expect(registrar.register(registration(), { actor })).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringContaining('Service api'),
      });
      expect(await items(SERVICES, 'services')).toEqual([before]);
      expect(await items(LEASES, 'leases')).toEqual([]);
      expect(await shown()).toEqual(['10.2.0.1:8080']);
    },
    TEST_MS,
  );

  it(
    'is discovered beside what is registered here',
    async () => {
      await createSlice(place, { service: 'theirs', endpoints: [pod('theirs-1', '10.2.0.1')] });
      await registrar.register(registration({ serviceName: 'ours' }), { actor });
      const watcher = new Watcher(backend);
      await watcher.until('both', () => watcher.instances.size === 2);
      expect([...watcher.instances.keys()].sort()).toEqual(['ours/api-1', 'theirs/theirs-1']);
      const theirs = { serviceName: 'theirs', serviceId: 'theirs-1' };
      await expect(registrar.deregister(theirs, { actor, cause: 'deregistered' })).rejects.toMatchObject({
        code: 'CONFLICT',
      });
      await expect(registrar.renew(theirs, {}, { actor })).rejects.toMatchObject({ code: 'CONFLICT' });
      await watcher.stop();
    },
    TEST_MS,
  );
});

describe('heartbeats', () => {
  const key = keyOf(registration());

  it(
    'are written at most every third of the TTL, and none is lost for it',
    async () => {
      await registrar.register(registration({ ttl: 6_000 }), { actor });
      const version = async () =>
        (await items<{ metadata: { resourceVersion: string } }>(LEASES, 'leases'))[0]!.metadata.resourceVersion;
      const before = await version();
      const { vitals } = await registrar.renew(key, {}, { actor });
      await registrar.renew(key, { loadPercentage: 0.5 }, { actor });
      expect(await version()).toBe(before);
      await until(async () => (await version()) !== before, 10_000);
      const [lease] = await items<{ spec: { renewTime: string }; metadata: { annotations: Record<string, string> } }>(
        LEASES,
        'leases',
      );
      expect(Date.parse(lease!.spec.renewTime)).toBeGreaterThanOrEqual(vitals.lastHeartbeat!);
      expect(Number(lease!.metadata.annotations['service-discovery/heartbeat-age-ms'])).toBeGreaterThan(1_000);
      expect(lease!.metadata.annotations['service-discovery/version']).toBe(before);
    },
    TEST_MS,
  );

  it(
    'end for hundreds together: all are out in time',
    async () => {
      const ttl = 8_000;
      const watcher = new Watcher(backend);
      const given = Array.from({ length: 800 }, (_, i) => registration({ serviceId: `id-${i}`, ttl }));
      await Promise.all(given.map((each) => registrar.register(each, { actor })));
      await watcher.until('all of them', () => watcher.instances.size === given.length);
      await watcher.until('none of them', () => watcher.instances.size === 0, ttl + 6_000);
      const removals = watcher.events.filter((event) => event.kind === 'remove' && event.cause === 'expired');
      expect(removals).toHaveLength(given.length);
      await watcher.stop();
    },
    TEST_MS,
  );

  it(
    'of a server that was killed keep nobody: another ends the lease',
    async () => {
      const other = await place.backend({ KUBERNETES_WRITE: 'true' });
      await other.start();
      const watcher = new Watcher(other);
      await registrar.register(registration({ ttl: 5_000 }), { actor });
      await watcher.until('the instance', () => watcher.get(key) !== undefined);
      await backend.stop();
      await watcher.until('its end', () => watcher.get(key) === undefined, 10_000);
      expect(watcher.removals(key)).toMatchObject([{ cause: 'expired' }]);
      await watcher.stop();
      await other.stop();
    },
    TEST_MS,
  );
});

describe('a newer release on the same cluster', () => {
  const key = keyOf(registration());
  const RECORD = 'service-discovery/record';
  /** What this release knows nothing of. */
  const ADDED = { placement: { rack: 'r1', spread: [1, 2] } };
  const NOTE = { 'service-discovery/placement': 'r1' };

  interface Annotated {
    readonly metadata: { readonly name: string; readonly annotations: Record<string, string> };
  }

  const lease = async () => (await items<Annotated>(LEASES, 'leases'))[0]!;

  it.each<[string, () => Promise<unknown>]>([
    ['a registration', () => registrar.register(registration({ port: 81 }), { actor })],
    ['a heartbeat', () => registrar.renew(key, { status: 'warning' }, { actor })],
    ['a change', () => registrar.update(key, { kind: 'patch', tags: ['new'] }, { actor })],
    ['maintenance', () => registrar.update(key, { kind: 'maintenance', maintenance: { reason: 'disk' } }, { actor })],
  ])(
    'keeps what it has added to a Lease through %s of this one',
    async (_, write) => {
      await registrar.register(registration(), { actor });
      const stored = await lease();
      const added = JSON.stringify({ ...(JSON.parse(stored.metadata.annotations[RECORD]!) as object), ...ADDED });
      const annotations = { ...stored.metadata.annotations, ...NOTE, [RECORD]: added };
      const path = place.at(LEASES, 'leases', stored.metadata.name);
      await place.admin.ask('PUT', path, { ...stored, metadata: { ...stored.metadata, annotations } });
      await write();
      const { metadata } = await lease();
      expect(metadata.annotations).toMatchObject(NOTE);
      expect(JSON.parse(metadata.annotations[RECORD]!)).toMatchObject(ADDED);
      expect(metadata.annotations[RECORD]).not.toBe(added);
    },
    TEST_MS,
  );
});
