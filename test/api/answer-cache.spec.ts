import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { body, ids, instancePath, type Instance, type Service, type ServiceSummary } from '../support/instances.js';
import { TestServer } from '../support/server.js';

// Ready answers are kept by path and query: whatever was written before a request was sent, its answer
// must show. Random writes go to the server and to a model; reads that keep hitting the same few
// paths, with the ETag that they had last, must say what the model says.

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

interface Modelled {
  readonly tags: readonly string[];
  readonly status: string;
  readonly maintenance: boolean;
}

type Model = Map<string, Map<string, Modelled>>;

const NAMES = ['p', 'q'];
const IDS = ['1', '2', '3'];
const TAGS = ['x', 'y'];

type Write =
  | { readonly kind: 'register'; readonly name: string; readonly id: string; readonly tags: readonly string[] }
  | { readonly kind: 'patch'; readonly name: string; readonly id: string; readonly tags: readonly string[] }
  | { readonly kind: 'status'; readonly name: string; readonly id: string; readonly status: string }
  | { readonly kind: 'maintenance'; readonly name: string; readonly id: string; readonly on: boolean }
  | { readonly kind: 'deregister'; readonly name: string; readonly id: string };

const which = { name: fc.constantFrom(...NAMES), id: fc.constantFrom(...IDS) };
const tags = fc.subarray(TAGS);
const writes: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ kind: fc.constant('register' as const), ...which, tags }),
  fc.record({ kind: fc.constant('register' as const), ...which, tags }),
  fc.record({ kind: fc.constant('patch' as const), ...which, tags }),
  fc.record({
    kind: fc.constant('status' as const),
    ...which,
    status: fc.constantFrom('passing', 'warning', 'critical'),
  }),
  fc.record({ kind: fc.constant('maintenance' as const), ...which, on: fc.boolean() }),
  fc.record({ kind: fc.constant('deregister' as const), ...which }),
);

async function send(write: Write): Promise<number> {
  const path = instancePath(write.name, write.id);
  const { http } = server;
  switch (write.kind) {
    case 'register':
      return (await http.post('/api/v1/services', body({ service_name: write.name, id: write.id, tags: write.tags })))
        .status;
    case 'patch':
      return (await http.patch(path, { tags: write.tags })).status;
    case 'status':
      return (await http.put(`${path}/heartbeat`, { status: write.status })).status;
    case 'maintenance':
      return (await http.send(write.on ? 'PUT' : 'DELETE', `${path}/maintenance`)).status;
    case 'deregister':
      return (await http.delete(path)).status;
  }
}

/** What the write does to the model, and the status that it must be answered with. */
function apply(model: Model, write: Write): number {
  const { name, id } = write;
  const service = model.get(name) ?? new Map<string, Modelled>();
  const known = service.get(id);
  if (write.kind === 'register') {
    service.set(id, { status: 'passing', maintenance: false, ...known, tags: write.tags });
    model.set(name, service);
    return 201;
  }
  if (!known) return 404;
  switch (write.kind) {
    case 'patch':
      service.set(id, { ...known, tags: write.tags });
      return 200;
    case 'status':
      service.set(id, { ...known, status: write.status });
      return 200;
    case 'maintenance':
      service.set(id, { ...known, maintenance: write.on });
      return 200;
    case 'deregister':
      service.delete(id);
      if (service.size === 0) model.delete(name);
      return 204;
  }
}

type Shown = readonly (readonly [id: string, tags: readonly string[], status: string])[];

function shown(model: Model, name: string, keep: (each: Modelled) => boolean = () => true): Shown | undefined {
  const service = model.get(name);
  return (
    service &&
    IDS.flatMap((id) => {
      const each = service.get(id);
      return each && keep(each) ? [[id, each.tags, each.maintenance ? 'maintenance' : each.status] as const] : [];
    })
  );
}

function shownOf(instances: readonly Instance[]): Shown {
  return instances.map(({ service_id, tags, status }) => [service_id, tags, status] as const);
}

const healthy = ({ status, maintenance }: Modelled) => status !== 'critical' && !maintenance;
const withX = ({ tags }: Modelled) => tags.includes('x');

/** A path, what its data must come to, and how to read that from the data. */
interface Read {
  readonly path: string;
  readonly expected: (model: Model) => unknown;
  readonly seen: (data: unknown) => unknown;
}

const READS: readonly Read[] = [
  {
    path: '/api/v1/services?include=instances',
    expected: (model) => [...model.keys()].sort().map((name) => [name, shown(model, name)]),
    seen: (data) =>
      (data as ServiceSummary[]).map(({ service_name, instances }) => [service_name, shownOf(instances!)]),
  },
  {
    path: '/api/v1/services?tags=x&healthy_only=true',
    expected: (model) =>
      [...model.keys()].sort().flatMap((name) => {
        const kept = shown(model, name, (each) => withX(each) && healthy(each))!;
        return kept.length > 0 ? [[name, kept.length]] : [];
      }),
    seen: (data) =>
      (data as ServiceSummary[]).map(({ service_name, total_instances }) => [service_name, total_instances]),
  },
  ...NAMES.flatMap((name): Read[] => [
    {
      path: `/api/v1/services/${name}`,
      expected: (model) => shown(model, name),
      seen: (data) => shownOf((data as Service).instances),
    },
    {
      path: `/api/v1/services/${name}/instances?tags=x`,
      expected: (model) => shown(model, name, withX),
      seen: (data) => shownOf(data as Instance[]),
    },
    {
      path: `/api/v1/services/${name}/instances/1`,
      expected: (model) => shown(model, name)?.find(([id]) => id === '1'),
      seen: (data) => shownOf([data as Instance])[0],
    },
    {
      path: `/api/v1/health/${name}`,
      expected: (model) => shown(model, name)?.map(([id, , status]) => [id, status]),
      seen: (data) =>
        (data as { instances: Instance[] }).instances.map(({ service_id, status }) => [service_id, status]),
    },
  ]),
];

/** Reads with the ETag of the last answer; a 304 stands for what that answer said. */
class Reader {
  private readonly last = new Map<string, { etag: string; seen: unknown }>();

  async read({ path, seen }: Read): Promise<unknown> {
    const known = this.last.get(path);
    const answer = await server.http.get(path, known && { 'if-none-match': known.etag });
    if (answer.status === 404) return undefined;
    if (answer.status === 304) return known!.seen;
    const now = seen(answer.data);
    this.last.set(path, { etag: answer.etag, seen: now });
    return now;
  }
}

async function removeAll(): Promise<void> {
  for (const name of NAMES) {
    const answer = await server.http.get<Instance[]>(`/api/v1/services/${name}/instances`);
    if (answer.status === 200) for (const id of ids(answer.data)) await server.http.delete(instancePath(name, id));
  }
}

describe('a ready answer', () => {
  it('never hides what was written before the request', async () => {
    const steps = fc.array(fc.record({ write: writes, reads: fc.subarray([...READS], { minLength: 1 }) }), {
      maxLength: 40,
    });
    const never = fc.asyncProperty(steps, async (sequence) => {
      const model: Model = new Map();
      const reader = new Reader();
      for (const { write, reads } of sequence) {
        expect(await send(write)).toBe(apply(model, write));
        const seen = await Promise.all(reads.map((read) => reader.read(read)));
        expect(seen).toEqual(reads.map(({ expected }) => expected(model)));
      }
    });
    await fc.assert(never, { numRuns: 25, plugins: [fc.afterEach(removeAll)] });
  });

  it('is never older than a write that was answered meanwhile, with readers all the time', async () => {
    let answered = 0;
    let writing = true;
    const name = 'busy';
    const write = async () => {
      for (let port = 1; port <= 150; port++) {
        await server.http.post('/api/v1/services', body({ service_name: name, id: 'a', port }));
        answered = port;
      }
      writing = false;
    };
    const read = async () => {
      while (writing) {
        const atLeast = answered;
        const answer = await server.http.get<Instance[]>(`/api/v1/services/${name}/instances`);
        const port = answer.status === 200 ? answer.data[0]!.port : 0;
        expect(port).toBeGreaterThanOrEqual(atLeast);
      }
    };
    await Promise.all([write(), read(), read(), read(), read()]);
  });

  it('is of the whole query, question marks in it too', async () => {
    const { http } = server;
    const tag = (of: string) => `/api/v1/services?include=instances&tags=${of}`;
    await http.post('/api/v1/services', body({ service_name: 'asked', id: 'a', tags: ['why?a'] }));
    await http.post('/api/v1/services', body({ service_name: 'asked', id: 'b', tags: ['why?b'] }));
    for (let round = 0; round < 2; round++) {
      for (const id of ['a', 'b']) {
        const { data } = await http.get<Service[]>(tag(`why?${id}`));
        expect(data.flatMap(({ instances }) => ids(instances))).toEqual([id]);
      }
    }
  });
});
