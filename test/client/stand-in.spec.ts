import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  DiscoveryClient,
  Follower,
  NoInstanceError,
  RefusedError,
  Transport,
  type Instance,
  type RegistrationRequest,
} from '#client';
// An entry of its own, which only tests need.
import { startDiscovery, type LocalDiscovery } from '../../libs/client/testing/index.js';
import { instancePath, report } from '../support/instances.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const LONG_MS = 30_000;

/** What a client works against. */
interface Ground {
  readonly url: string;
  setStatus(service: string, id: string, status: 'critical' | 'maintenance'): unknown;
  remove(service: string, id: string): unknown;
  stop(): Promise<void>;
}

async function realServer(): Promise<Ground> {
  const server = await TestServer.start();
  const { http } = server;
  return {
    url: server.url,
    setStatus: (service, id, status) =>
      status === 'maintenance'
        ? http.put(`${instancePath(service, id)}/maintenance`)
        : report(http, service, id, status),
    remove: (service, id) => http.delete(instancePath(service, id)),
    stop: () => server.stop(),
  };
}

/** No heartbeat of its own comes in between. */
const ME = { service: 'web', id: 'me', host: '127.0.0.1', port: 80, ttl: 600 };

describe.each([
  ['the stand-in', startDiscovery],
  ['the server', realServer],
])('to a client, %s', (_name, start: () => Promise<Ground>) => {
  let ground: Ground;
  let client: DiscoveryClient;
  beforeEach(async () => {
    ground = await start();
    client = new DiscoveryClient({ servers: [ground.url] });
    await client.ready();
  });
  afterEach(async () => {
    await client.close();
    await ground.stop();
  });

  const sees = (fits: (instance: Instance | undefined) => boolean) =>
    until(() => fits(client.instances('web').find(({ serviceId }) => serviceId === 'me')), LONG_MS);

  it('tells what was said of an instance, and what was not by default', async () => {
    expect([client.source, client.services()]).toEqual(['live', []]);
    const said = {
      ...{ tags: ['x', 'x', 'y'], metadata: { cores: 4, zone: 'of-metadata' }, protocol: 'HTTPS', path: 'api' },
      ...{ weight: 7, region: 'r', zone: 'z' },
    };
    const all = await client.register({ ...ME, ...said });
    const least = await client.register({ service: 'Web', host: '::1', port: 81 });
    await until(() => client.instances('web').length === 2, LONG_MS);
    const expected = [
      {
        ...{ serviceName: 'web', serviceId: 'me', address: '127.0.0.1', port: 80, url: 'https://127.0.0.1:80/api' },
        ...{ protocol: 'https', path: '/api', tags: ['x', 'y'], metadata: { cores: '4', zone: 'of-metadata' } },
        ...{ weight: 7, region: 'r', zone: 'z', status: 'passing', reported: 'passing', held: false },
      },
      {
        ...{ serviceName: 'web', serviceId: 'web-::1-81', address: '::1', port: 81, url: 'http://[::1]:81' },
        ...{ protocol: 'http', path: '', tags: [], metadata: {}, weight: 100, status: 'passing' },
        ...{ region: undefined, zone: undefined, vitals: {} },
      },
    ];
    expect(client.instances('web')).toMatchObject(expected);
    expect([all.instance, least.instance]).toMatchObject(expected);
  });

  it('puts a registration in the place of the one before, but for what others have said', async () => {
    const { instance: first } = await client.register({ ...ME, tags: ['x'] });
    await ground.setStatus('web', 'me', 'critical');
    const { instance: again } = await client.register(ME);
    expect(again).toMatchObject({ status: 'critical', tags: [], registeredAt: first.registeredAt });
    await ground.setStatus('web', 'me', 'maintenance');
    const { instance: moved } = await client.register({ ...ME, port: 81 });
    expect(moved).toMatchObject({ status: 'maintenance', registeredAt: first.registeredAt });
  });

  it('refuses what is wrong, and says where', async () => {
    const wrong: [Partial<RegistrationRequest>, string[]][] = [
      [{ service: 'we b' }, ['service_name']],
      [{ port: 65_536 }, ['port']],
      [{ ttl: 4 }, ['ttl']],
      [{ service: '..', host: '', port: 0.5, ttl: -1 }, ['service_name', 'host', 'port', 'ttl']],
    ];
    for (const [over, paths] of wrong) {
      const error = await client.register({ ...ME, ...over }).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(RefusedError);
      const { status, code, errors } = error as RefusedError;
      expect([status, code, errors.map(({ path }) => path)]).toEqual([400, 'INVALID_REQUEST', paths]);
    }
  });

  it('keeps what heartbeats say, and has an instance register again that it does not know', async () => {
    const registration = await client.register(ME);
    await registration.report({ status: 'warning', loadPercentage: 0.5, activeConnections: 3 });
    await registration.report({});
    const { version } = registration.instance;
    expect(registration.instance).toMatchObject({
      status: 'warning',
      vitals: { loadPercentage: 0.5, activeConnections: 3 },
    });
    await sees((me) => me?.status === 'warning' && me.version === version);
    await ground.remove('web', 'me');
    await sees((me) => !me);
    await registration.report({});
    await sees((me) => me?.status === 'passing');
    await ground.remove('web', 'me');
    await registration.deregister();
  });

  it('lets none be picked that is out of rotation, and one leave', async () => {
    const registration = await client.register(ME);
    await sees((me) => me !== undefined);
    expect(client.pick('web').instance.serviceId).toBe('me');
    for (const status of ['critical', 'maintenance'] as const) {
      await ground.setStatus('web', 'me', status);
      await sees((me) => me?.status === status);
      expect(() => client.pick('web')).toThrow(NoInstanceError);
    }
    await registration.leave({ drainMs: 0 });
    await sees((me) => !me);
  });

  it('tells each change of a service and why, and what there is to who comes later', async () => {
    const heard: string[] = [];
    const ended = new AbortController();
    const follow = (into: string[]) =>
      new Follower(
        new Transport({ servers: [ground.url] }),
        {
          hear: (event) => {
            if (event.event === 'snapshot') into.push(`snapshot ${event.source} ${event.instances.length}`);
            if (event.event === 'upsert') into.push(`${event.cause} ${event.instance.status}`);
            if (event.event === 'remove') into.push(`${event.cause} ${event.service_name}/${event.service_id}`);
          },
          lost: (error) => into.push(error.message),
        },
        { service: 'web' },
      ).run(ended.signal);
    /** Changes that follow each other faster than they are read may come as one. */
    const hears = (text: string) => until(() => heard.at(-1) === text, LONG_MS);
    const following = [follow(heard)];
    await hears('snapshot live 0');
    await client.register({ ...ME, service: 'other' });
    await client.register(ME);
    await hears('registered passing');
    await ground.setStatus('web', 'me', 'critical');
    await hears('status critical');
    await ground.setStatus('web', 'me', 'maintenance');
    await hears('maintenance maintenance');
    const later: string[] = [];
    following.push(follow(later));
    await until(() => later.join() === 'snapshot live 1', LONG_MS);
    await ground.remove('web', 'me');
    await hears('deregistered web/me');
    expect(heard).toHaveLength(5);
    ended.abort();
    await Promise.all(following);
  });
});

describe('the stand-in', () => {
  let discovery: LocalDiscovery;
  let client: DiscoveryClient;
  beforeEach(async () => {
    discovery = await startDiscovery();
    client = new DiscoveryClient({ servers: [discovery.url] });
  });
  afterEach(async () => {
    await client.close();
    await discovery.stop();
  });

  it('has instances that the test puts there and takes away, and says when it hears of one', async () => {
    const placed = discovery.register(ME);
    await client.ready();
    expect(client.instances('web')).toEqual([placed]);
    expect(() => discovery.register({ ...ME, port: 0 })).toThrow('port must be');
    discovery.remove('WEB', 'me');
    for (const act of [
      () => discovery.remove('web', 'me'),
      () => discovery.expire('web', 'me'),
      () => discovery.setStatus('web', 'me', 'critical'),
    ])
      expect(act).toThrow('no instance me of service web');
    const registered = discovery.registered('web');
    const registration = await client.register(ME);
    expect(await registered).toEqual(registration.instance);
    discovery.expire('web', 'me');
    expect(discovery.instances('web')).toEqual([]);
    await registration.report({});
    expect(discovery.instances('web')).toHaveLength(1);
  });

  it('is away once it is stopped: what it told is known still', async () => {
    discovery.register(ME);
    await client.ready();
    await discovery.stop();
    await discovery.stop();
    await until(() => client.source === 'stale', LONG_MS);
    expect(client.pick('web').instance.serviceId).toBe('me');
  });

  it('says what it has not', async () => {
    const answer = await fetch(`${discovery.url}/api/v1/services/web/instance`);
    expect([answer.status, await answer.json()]).toMatchObject([404, { code: 'NO_SUCH_ROUTE' }]);
  });
});
