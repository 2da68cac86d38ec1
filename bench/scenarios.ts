import { STRATEGIES } from '#balancing';
import type { Request } from './load.js';
import { REGISTRIES } from './registries/index.js';
import { registration, type Seed } from './seed.js';

export interface Targets {
  /** Of what the bare Fastify route beside it reaches. */
  readonly ratio?: number;
  readonly perSecond?: number;
  /** Milliseconds, at half of the load that it can take. */
  readonly p99?: number;
}

/** One kind of request, asked again and again of the server and of a bare Fastify route beside it. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly seed: Seed;
  /** The n-th request. */
  readonly request: (n: number) => Request;
  /** The pattern of the route beside it. */
  readonly route: string;
  readonly durable?: boolean;
  /** The key that each request brings, and that the server knows. */
  readonly apiKey?: string;
  /** Settings of the server beside the usual. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Its registry, by its type; absent: memory. */
  readonly registry?: string;
  readonly targets?: Targets;
}

const HUNDRED_SERVICES: Seed = { instances: 1_000, services: 100 };
const NOTHING: Seed = { instances: 0, services: 1 };
const API = '/api/v1/services';

const discovery: Scenario = {
  name: 'discovery',
  title: 'one service of 100, with its 10 instances; cached',
  seed: HUNDRED_SERVICES,
  request: () => ({ method: 'GET', path: `${API}/service-42` }),
  route: `${API}/:name`,
  targets: { ratio: 0.7, perSecond: 10_000, p99: 10 },
};

/** Random to nobody: it opens what a bench has made. */
const API_KEY = 'bench-key-that-opens-nothing-but-this-server';

const discoveryByKey: Scenario = {
  ...discovery,
  name: 'discovery-api-key',
  title: 'each request with an API key',
  request: (n) => ({ ...discovery.request(n), headers: { 'X-API-Key': API_KEY } }),
  apiKey: API_KEY,
};

/** What a discovery may bring or leave behind, beside one of a server that has nothing to do with it. */
export interface Overhead {
  readonly name: string;
  readonly title: string;
  readonly scenario: Scenario;
  readonly without: Scenario;
  /** Of the requests a second without, how much it is to leave. */
  readonly target: number;
}

const TRACING = {
  TRACING_ENABLED: 'true',
  OTEL_TRACES_EXPORTER: 'none',
  OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
  OTEL_TRACES_SAMPLER_ARG: '0.01',
};

export const OVERHEADS: readonly Overhead[] = [
  {
    name: 'metrics',
    title: 'metrics, as they are unless switched off',
    scenario: discovery,
    without: { ...discovery, environment: { METRICS_ENABLED: 'false' } },
    target: 0.95,
  },
  {
    name: 'api-key',
    title: 'an API key with each request',
    scenario: discoveryByKey,
    without: discovery,
    target: 0.9,
  },
  {
    name: 'tracing',
    title: 'tracing, one trace of a hundred recorded',
    scenario: { ...discovery, environment: TRACING },
    without: discovery,
    target: 0.85,
  },
];

const discoveryFromRegistries: readonly Scenario[] = REGISTRIES.map(({ type }) => ({
  ...discovery,
  name: `discovery-${type}`,
  title: `the same from ${type}`,
  registry: type,
  targets: { ratio: 0.7 },
}));

const byTags: Scenario = {
  name: 'tags',
  title: '`?tags=api,v1`: 10 services of 100; cached',
  seed: HUNDRED_SERVICES,
  request: () => ({ method: 'GET', path: `${API}?tags=api,v1` }),
  route: API,
};

const byOtherTags: Scenario = {
  name: 'tags-uncached',
  title: '`?tags=`, never the same twice: 10 instances of 1,000',
  seed: HUNDRED_SERVICES,
  request: (n) => ({ method: 'GET', path: `${API}?tags=group-${n % 100},!none-${n}` }),
  route: API,
};

const picks: readonly Scenario[] = STRATEGIES.map(({ name }) => ({
  name: `pick-${name}`,
  title: `one of 10 instances, by ${name}`,
  seed: HUNDRED_SERVICES,
  request: (n) => ({
    method: 'GET',
    path: `${API}/service-${n % 100}/instance?strategy=${name}&zone=zone-1&region=us&key=user-${n % 1_000}`,
  }),
  route: `${API}/:name/instance`,
}));

/** Many, and so few that what they hold does not change what is measured. */
const REGISTERED = 20_000;

const registering: Scenario = {
  name: 'registration',
  title: '20,000 instances in turn, 10 to a service: new at first, then replaced by others',
  seed: NOTHING,
  request: (n) => {
    const metadata = { version: String(n) };
    return { method: 'POST', path: API, body: registration(n % REGISTERED, REGISTERED / 10, { metadata }) };
  },
  route: API,
  targets: { perSecond: 5_000 },
};

const registeringDurably: Scenario = {
  ...registering,
  name: 'registration-durable',
  title: 'the same with `DATA_DIR`',
  durable: true,
  targets: { perSecond: 1_000 },
};

const heartbeat: Scenario = {
  name: 'heartbeat',
  title: 'of 1,000 instances in turn, with their load',
  seed: HUNDRED_SERVICES,
  request: (n) => ({
    method: 'PUT',
    path: `${API}/service-${n % 100}/instances/instance-${n % 1_000}/heartbeat`,
    body: { load_percentage: (n % 70) / 100 },
  }),
  route: `${API}/:name/instances/:id/heartbeat`,
};

export const SCENARIOS: readonly Scenario[] = [
  discovery,
  ...discoveryFromRegistries,
  byTags,
  byOtherTags,
  ...picks,
  registering,
  registeringDurably,
  heartbeat,
];

/** A request whose cost is watched while the registry grows. */
export interface Growing extends Pick<Scenario, 'name' | 'title' | 'request'> {
  /** The exponent that it should have. */
  readonly expected: string;
}

export const GROWING: readonly Growing[] = [
  {
    name: 'growing-tags-few',
    title: '`?tags=`, never the same twice, that 10 instances have',
    expected: '0: an index finds them',
    request: (n) => ({ method: 'GET', path: `${API}?tags=group-${n % 10},!none-${n}` }),
  },
  {
    name: 'growing-tags-all',
    title: '`?tags=`, never the same twice, that all instances have',
    expected: '1: the answer grows as much',
    request: (n) => ({ method: 'GET', path: `${API}?tags=all,!none-${n}` }),
  },
  {
    name: 'growing-pick',
    title: 'a pick',
    expected: '0',
    request: (n) => ({ method: 'GET', path: `${API}/service-${n % 100}/instance` }),
  },
  {
    name: 'growing-heartbeat',
    title: 'a heartbeat',
    expected: '0',
    request: (n) => ({ method: 'PUT', path: `${API}/service-${n % 100}/instances/instance-${n % 100}/heartbeat` }),
  },
];

/** The requests of a scenario by its name. */
export function requestOf(name: string): Scenario['request'] {
  const found = [...SCENARIOS, discoveryByKey, ...GROWING].find((each) => each.name === name);
  if (!found) throw new Error(`no scenario ${name}`);
  return found.request;
}
