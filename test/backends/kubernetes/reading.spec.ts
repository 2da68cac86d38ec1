import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { statusOf, zoneOf, type RegistryBackend, type ServiceInstance } from '#core';
import { Watcher } from '#core/testing';
import { changeSlice, createService, createSlice, pod } from './support/cluster-objects.js';
import { Place, SERVICES, SLICES } from './support/place.js';

const TEST_MS = 60_000;

let place: Place;
let backends: RegistryBackend[];
let watchers: Watcher[];

beforeEach(async () => {
  [backends, watchers] = [[], []];
  place = await Place.open();
}, TEST_MS);
afterEach(async () => {
  await Promise.all(watchers.map((watcher) => watcher.stop()));
  await Promise.all(backends.map((backend) => backend.stop()));
  await place.close();
}, TEST_MS);

async function open(
  settings: Readonly<Record<string, string>> = {},
): Promise<{ backend: RegistryBackend; watcher: Watcher }> {
  const backend = await place.backend(settings);
  backends.push(backend);
  await backend.start();
  const watcher = new Watcher(backend);
  watchers.push(watcher);
  await watcher.until('a first event', () => watcher.events.length > 0);
  return { backend, watcher };
}

async function list(): Promise<ServiceInstance[]> {
  const { backend } = await open();
  return [...(await backend.list()).instances];
}

describe('what runs in the cluster', () => {
  it('is read-only', async () => {
    const { backend } = await open();
    expect(backend.registrar).toBeUndefined();
    expect(backend.capabilities).toMatchObject({ type: 'kubernetes', register: 'refused' });
    expect(backend.capabilities.notes[0]).toMatch(/^Read-only/);
  });

  it(
    'is seen with more than 1,000 endpoints in many slices',
    async () => {
      const slices = Array.from({ length: 16 }, (_, s) =>
        createSlice(place, {
          service: 'api',
          name: `api-${s}`,
          endpoints: Array.from({ length: 100 }, (_, e) => pod(`pod-${s}-${e}`, `10.2.${s}.${e + 1}`)),
        }),
      );
      await Promise.all(slices);
      const { backend, watcher } = await open();
      expect(watcher.instances.size).toBe(1_600);
      expect((await backend.list()).instances).toHaveLength(1_600);
      await place.admin.ask('DELETE', place.at(SLICES, 'endpointslices', 'api-3'));
      await watcher.until('100 less', () => watcher.instances.size === 1_500);
    },
    TEST_MS,
  );

  it(
    'is seen with 10,000 endpoints, and nothing else has to wait for it',
    async () => {
      const slices = Array.from({ length: 100 }, (_, s) =>
        createSlice(place, {
          service: 'api',
          name: `api-${s}`,
          endpoints: Array.from({ length: 100 }, (_, e) => pod(`pod-${s}-${e}`, `10.2.${s}.${e + 1}`)),
        }),
      );
      await Promise.all(slices);
      const delay = monitorEventLoopDelay();
      delay.enable();
      const { watcher } = await open();
      delay.disable();
      expect(watcher.instances.size).toBe(10_000);
      expect(delay.max / 1e6).toBeLessThan(2_000);
    },
    TEST_MS,
  );

  it(
    'is one instance a pod, with its zone, where it runs, and all its ports by name',
    async () => {
      await createService(place, 'api', {
        spec: {
          ports: [
            { name: 'web', port: 80 },
            { name: 'metrics', port: 90 },
          ],
        },
      });
      await createSlice(place, {
        service: 'api',
        ports: [
          { name: 'metrics', port: 9090, protocol: 'TCP' },
          { name: 'web', port: 8443, protocol: 'TCP', appProtocol: 'https' },
        ],
        endpoints: [pod('api-1', '10.2.0.1', { zone: 'eu-1a', nodeName: 'node-1' })],
      });
      const [instance, ...others] = await list();
      expect(others).toEqual([]);
      expect(instance).toMatchObject({
        serviceName: 'api',
        serviceId: 'api-1',
        address: '10.2.0.1',
        port: 8443,
        metadata: {
          namespace: place.namespace,
          pod: 'api-1',
          node: 'node-1',
          port_web: '8443',
          port_metrics: '9090',
          protocol: 'https',
        },
      });
      expect(zoneOf(instance!)).toBe('eu-1a');
      expect(instance!.ttl).toBeUndefined();
    },
    TEST_MS,
  );

  it(
    'is no duplicate for its second address',
    async () => {
      await createService(place, 'api');
      await createSlice(place, {
        service: 'api',
        name: 'api-6',
        family: 'IPv6',
        endpoints: [pod('api-1', '2001:db8::1')],
      });
      await createSlice(place, { service: 'api', name: 'api-4', endpoints: [pod('api-1', '10.2.0.1')] });
      const [instance, ...others] = await list();
      expect(others).toEqual([]);
      expect(instance).toMatchObject({ address: '10.2.0.1', metadata: { address_ipv6: '2001:db8::1' } });
    },
    TEST_MS,
  );

  it(
    'is no duplicate in two slices, and not gone when it leaves one of them',
    async () => {
      await createSlice(place, { service: 'api', name: 'old', endpoints: [pod('api-1', '10.2.0.1')] });
      await createSlice(place, { service: 'api', name: 'new', endpoints: [pod('api-1', '10.2.0.1')] });
      const { watcher } = await open();
      expect(watcher.instances.size).toBe(1);
      await changeSlice(place, 'old', { endpoints: [] });
      await createSlice(place, { service: 'last', endpoints: [pod('last', '10.2.0.2')] });
      await watcher.until('the last', () => watcher.instances.size === 2);
      expect(watcher.events.filter(({ kind }) => kind === 'remove')).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'is as healthy as Kubernetes says, and in maintenance while it ends',
    async () => {
      const endpoints = [
        { ready: true, serving: true, terminating: false },
        { ready: false, serving: false, terminating: false },
        { ready: true, serving: false, terminating: false },
        { ready: false, serving: true, terminating: true },
        {},
      ].map((conditions, i) => pod(`api-${i}`, `10.2.0.${i + 1}`, { conditions }));
      await createSlice(place, { service: 'api', endpoints });
      const found = new Map((await list()).map((instance) => [instance.serviceId, statusOf(instance)]));
      expect([...found].sort()).toEqual([
        ['api-0', 'passing'],
        ['api-1', 'critical'],
        ['api-2', 'warning'],
        ['api-3', 'maintenance'],
        ['api-4', 'passing'],
      ]);
    },
    TEST_MS,
  );

  it(
    'has the tags and metadata that labels and annotations say',
    async () => {
      const annotations = {
        'service-discovery/tags': 'api, v1',
        'service-discovery/port': 'admin',
        'service-discovery/weight': '7',
        'service-discovery/owner': 'annotation',
        'example.org/other': 'no',
      };
      const labels = { 'service-discovery/owner': 'label', 'service-discovery/tier': 'gold', app: 'api' };
      await createService(place, 'api', { metadata: { annotations, labels } });
      const ports = [
        { name: 'web', port: 8080 },
        { name: 'admin', port: 9000 },
      ];
      await createSlice(place, {
        ...{ service: 'api', ports, endpoints: [pod('api-1', '10.2.0.1')] },
        annotations: { 'service-discovery/owner': 'slice', 'service-discovery/build': '7' },
      });
      const { watcher } = await open();
      const [instance] = watcher.instances.values();
      expect(instance).toMatchObject({
        port: 9000,
        tags: ['api', 'v1'],
        metadata: { weight: '7', owner: 'annotation', tier: 'gold', build: '7' },
      });
      expect(Object.keys(instance!.metadata)).not.toContain('other');
      await place.admin.ask('PATCH', place.at(SERVICES, 'services', 'api'), {
        metadata: { annotations: { 'service-discovery/tags': 'v2' } },
      });
      await watcher.until('the new tag', () => watcher.get(instance!)?.tags[0] === 'v2');
    },
    TEST_MS,
  );

  it(
    'has host names for addresses where its slices do',
    async () => {
      await createSlice(place, {
        ...{ service: 'outside', family: 'FQDN' as const },
        endpoints: [{ addresses: ['db.example.org'], conditions: {} }],
      });
      expect(await list()).toMatchObject([{ serviceId: 'db.example.org', address: 'db.example.org' }]);
    },
    TEST_MS,
  );

  it(
    'goes when Kubernetes takes it out, which is nobody lost',
    async () => {
      await createSlice(place, { service: 'api', endpoints: [pod('api-1', '10.2.0.1'), pod('api-2', '10.2.0.2')] });
      const { watcher } = await open();
      await changeSlice(place, 'api', { endpoints: [pod('api-2', '10.2.0.2')] });
      await watcher.until('one', () => watcher.instances.size === 1);
      await place.admin.ask('DELETE', place.at(SLICES, 'endpointslices', 'api'));
      await watcher.until('none', () => watcher.instances.size === 0);
      const causes = watcher.events.flatMap((event) => (event.kind === 'remove' ? [event.cause] : []));
      expect(causes).toEqual(['deregistered', 'deregistered']);
    },
    TEST_MS,
  );

  it(
    'is called name.namespace where several are read',
    async () => {
      const other = await Place.open();
      try {
        await createSlice(place, { service: 'api', endpoints: [pod('api-1', '10.2.0.1')] });
        await createSlice(other, { service: 'api', endpoints: [pod('api-1', '10.2.0.1')] });
        const names = [`api.${place.namespace}`, `api.${other.namespace}`].sort();
        const both = await open({ KUBERNETES_NAMESPACE: `${place.namespace},${other.namespace}` });
        expect([...both.watcher.instances.values()].map(({ serviceName }) => serviceName).sort()).toEqual(names);
        const all = await open({ KUBERNETES_NAMESPACE: '*' });
        const found = [...all.watcher.instances.values()].map(({ serviceName }) => serviceName);
        expect(found).toEqual(expect.arrayContaining([...names, 'kubernetes.default']));
      } finally {
        await other.close();
      }
    },
    TEST_MS,
  );
});

describe('an outage', () => {
  it(
    'ends with the truth',
    async () => {
      for (const name of ['stays', 'goes'])
        await createSlice(place, { service: name, endpoints: [pod(name, '10.2.0.1')] });
      const { backend, watcher } = await open();
      expect(watcher.instances.size).toBe(2);
      const way = place.wayOf(backend);
      await way.cut();
      await watcher.until('the outage', () => watcher.stale);
      await place.admin.ask('DELETE', place.at(SLICES, 'endpointslices', 'goes'));
      await changeSlice(place, 'stays', { endpoints: [pod('stays', '10.2.0.9')] });
      await createSlice(place, { service: 'comes', endpoints: [pod('comes', '10.2.0.3')] });
      expect(watcher.instances.size).toBe(2);
      await way.mend();
      await watcher.until('the end of it', () => !watcher.stale);
      const found = [...watcher.instances.values()].map(({ serviceId, address }) => [serviceId, address]);
      expect(found.sort()).toEqual([
        ['comes', '10.2.0.3'],
        ['stays', '10.2.0.9'],
      ]);
      expect(watcher.removals({ serviceName: 'goes', serviceId: 'goes' })).toMatchObject([{ cause: 'unknown' }]);
    },
    TEST_MS,
  );

  it(
    'at the start is told, and ends by itself',
    async () => {
      await createSlice(place, { service: 'api', endpoints: [pod('api-1', '10.2.0.1')] });
      const backend = await place.backend();
      backends.push(backend);
      const way = place.wayOf(backend);
      await way.cut();
      await backend.start();
      const watcher = new Watcher(backend);
      watchers.push(watcher);
      await watcher.until('the outage', () => watcher.stale);
      await expect(backend.list()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await way.mend();
      await watcher.until('the instance', () => watcher.instances.size === 1 && !watcher.stale);
    },
    TEST_MS,
  );

  it(
    'of an API server that takes connections and says nothing holds no start up',
    async () => {
      const backend = await place.backend();
      backends.push(backend);
      place.wayOf(backend).freeze();
      const begun = performance.now();
      await backend.start();
      expect(performance.now() - begun).toBeLessThan(10_000);
      await expect(backend.ping(AbortSignal.timeout(1_000))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    },
    TEST_MS,
  );
});
