import { expect } from '@jest/globals';
import fc from 'fast-check';
import { instancePath, type Instance, type Service } from './instances.js';
import type { TestServer } from './server.js';
import type { Told } from './told.js';
import { until } from './until.js';
import { Watcher } from './watcher.js';
import { WebSocketWatcher } from './web-socket-watcher.js';

/** What is watched: servers in front of one registry, and how that is taken from them and given back. */
export interface WatchedWorld {
  readonly servers: readonly TestServer[];
  readonly outage?: { begin(): Promise<void>; end(): Promise<void> };
}

const SERVICES = ['s0', 's1'];
const IDS = ['a', 'b', 'c'];
/** Everything, one service, and filters that instances enter and leave. */
const PATHS = [
  'services',
  'services/s0',
  'services/s1?tags=x',
  'services/s0?healthy_only=true',
  'services?tags=!x&metadata.m=1',
];
const WATCHERS = 6;
/** A quiet point is one when the registry is, and the machine may be busy. */
const QUIET_MS = 60_000;

const write = fc.record({
  kind: fc.constantFrom('register', 'register', 'patch', 'report', 'deregister', 'register for a moment'),
  service: fc.constantFrom(...SERVICES),
  id: fc.constantFrom(...IDS),
  over: fc.record({
    tags: fc.constantFrom([], ['x'], ['x', 'y']),
    metadata: fc.record({ m: fc.constantFrom('1', '2') }),
    weight: fc.integer({ min: 1, max: 1_000 }),
  }),
  status: fc.constantFrom('passing', 'warning', 'critical'),
});
const move = fc.record({
  kind: fc.constantFrom('open', 'open', 'close', 'stall', 'go on', 'break', 'come back'),
  slot: fc.nat(WATCHERS - 1),
  path: fc.constantFrom(...PATHS),
  transport: fc.constantFrom('sse', 'web socket'),
  server: fc.nat(),
});
const misfortune = fc.record({ kind: fc.constantFrom('outage', 'return') });
const step = fc.oneof(
  { weight: 6, arbitrary: write },
  { weight: 4, arbitrary: move },
  { weight: 1, arbitrary: misfortune },
);

type Write = typeof write extends fc.Arbitrary<infer T> ? T : never;
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;

/** Somebody who watches, and stands somewhere also while away. */
interface Slot {
  readonly path: string;
  readonly told: Told;
  server: TestServer;
  open: boolean;
}

/** Drives a world at random, and at every quiet point holds what each watcher knows against what its server says. */
export async function watchersAgree(world: WatchedWorld, numRuns: number, maxSteps = 40): Promise<void> {
  const drive = new Drive(world);
  const property = fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: maxSteps }), async (steps) => {
    for (const each of steps) {
      if ('service' in each) await drive.write(each);
      else if ('slot' in each) await drive.move(each);
      else await drive.suffer(each.kind === 'outage');
    }
    await drive.agree();
  });
  try {
    // A run begins where the one before has ended, so there is nothing to be had from trying a shorter one.
    await fc.assert(property, { numRuns, endOnFailure: true });
  } finally {
    await drive.end();
  }
}

class Drive {
  private readonly slots = new Map<number, Slot>();
  private away = false;
  private written = 0;

  constructor(private readonly world: WatchedWorld) {}

  /** Whatever it comes to: while the registry is away, and for what is not there, it is refused. */
  async write({ kind, service, id, over, status }: Write): Promise<void> {
    const { http } = this.world.servers[this.written++ % this.world.servers.length]!;
    const path = instancePath(service, id);
    const body = { service_name: service, id, address: '127.0.0.1', port: 80, ...over };
    if (kind === 'register') await http.post('/api/v1/services', body);
    else if (kind === 'register for a moment') await http.post('/api/v1/services', { ...body, ttl: 5 });
    else if (kind === 'patch') await http.patch(path, over);
    else if (kind === 'report') await http.put(`${path}/heartbeat`, { status });
    else await http.delete(path);
  }

  async move({ kind, slot: place, path, transport, server: nth }: Move): Promise<void> {
    const server = this.world.servers[nth % this.world.servers.length]!;
    const slot = this.slots.get(place);
    if (kind === 'open') {
      await slot?.told.close();
      const told = transport === 'sse' ? await Watcher.open(server.url, path) : await overWebSocket(server, path);
      this.slots.set(place, { path, told, server, open: true });
    } else if (!slot) {
      return;
    } else if (kind === 'close') {
      await slot.told.close();
      this.slots.delete(place);
    } else if (!(slot.told instanceof Watcher)) {
      return;
    } else if (kind === 'stall') slot.told.stall();
    else if (kind === 'go on') slot.told.goOn();
    else if (kind === 'break') {
      await slot.told.close();
      slot.open = false;
    } else await this.comeBack(place, server);
  }

  async suffer(outage: boolean): Promise<void> {
    if (!this.world.outage || outage === this.away) return;
    this.away = outage;
    await (outage ? this.world.outage.begin() : this.world.outage.end());
  }

  /** Quiet: the registry is there, everybody is back and reads. */
  async agree(): Promise<void> {
    await this.suffer(false);
    for (const [place, { told, open, server }] of [...this.slots]) {
      if (!open) await this.comeBack(place, server);
      else if (told instanceof Watcher) told.goOn();
    }
    for (const { http } of this.world.servers)
      await until(async () => (await http.get('/api/v1/services')).headers['x-registry-source'] === 'live', QUIET_MS);
    for (const { path, told, server } of this.slots.values()) {
      const agreed = async () => same(await truth(server, path), [...told.state.values()]);
      await until(agreed, QUIET_MS).catch(async () => {
        expect({ path, knows: [...told.state.values()].map(stable) }).toEqual({
          path,
          knows: (await truth(server, path)).map(stable),
        });
      });
    }
  }

  async end(): Promise<void> {
    await this.suffer(false);
    await Promise.all([...this.slots.values()].map(({ told }) => told.close()));
  }

  private async comeBack(place: number, server: TestServer): Promise<void> {
    const slot = this.slots.get(place)!;
    const before = slot.told as Watcher;
    await before.close();
    this.slots.set(place, { ...slot, server, told: await before.again(server.url, slot.path), open: true });
  }
}

function overWebSocket(server: TestServer, path: string): Promise<WebSocketWatcher> {
  return WebSocketWatcher.open(server.url, `watch/${path}`);
}

async function truth({ http }: TestServer, path: string): Promise<readonly Instance[]> {
  if (!path.startsWith('services/')) {
    const query = path.includes('?') ? `${path}&` : `${path}?`;
    const { data } = await http.get<Service[]>(`/api/v1/${query}include=instances`);
    return data.flatMap(({ instances }) => instances);
  }
  const answer = await http.get<Instance[]>(`/api/v1/${path.replace(/(\?|$)/, '/instances$1')}`);
  return answer.status === 404 ? [] : answer.data;
}

function same(one: readonly Instance[], other: readonly Instance[]): boolean {
  return JSON.stringify(one.map(stable)) === JSON.stringify(sorted(other).map(stable));
}

function sorted(instances: readonly Instance[]): Instance[] {
  const key = ({ service_name, service_id }: Instance) => `${service_name}/${service_id}`;
  return [...instances].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Without what moves and is no news. */
function stable(instance: Instance): object {
  return {
    ...instance,
    last_heartbeat: null,
    last_health_check: null,
    load_percentage: null,
    active_connections: null,
  };
}
