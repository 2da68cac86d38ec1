import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hasPrograms } from '../servers/index.js';
import { programs, runPromtool, startPrometheus } from '../servers/prometheus.js';
import { FORGETFUL, program as redisProgram, startRedis } from '../servers/redis.js';
import type { Server } from '../servers/server.js';
import { instancePath, register, report } from '../support/instances.js';
import { endProcesses, temporaryFolder, TEST_MS } from '../support/process.js';
import { TestServer } from '../support/server.js';
import { Target } from '../support/target.js';
import { until } from '../support/until.js';

// A real Prometheus scrapes a real server in front of a real registry, which dies and comes back.

const FILES = join(import.meta.dirname, '../../deploy');
const RULES = join(FILES, 'prometheus/rules.yaml');
const JOB = 'service-discovery';

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
}

interface Rule {
  readonly name: string;
  readonly query: string;
  readonly state: 'inactive' | 'pending' | 'firing';
}

let registry: Server;
let prometheus: Server;
let server: TestServer;
let target: Target;
/** In the order in which it was started. */
const running: { stop(): Promise<void> }[] = [];

async function started<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const part = await starting;
  running.push(part);
  return part;
}

/** Needs a real Prometheus and Redis. With CI set nothing is left out: their absence is a failure. */
const here = process.env.CI || hasPrograms({ programs: [...programs, redisProgram] });
if (!here) console.warn('NOT TESTED: dashboard and alerting rules. Prometheus is missing: npm run servers');

async function ask<T>(path: string): Promise<T> {
  const answer = await fetch(`${prometheus.address}/api/v1/${path}`);
  const { data, error } = (await answer.json()) as { data: T; error?: string };
  if (error !== undefined) throw new Error(`${path}: ${error}`);
  return data;
}

async function samples(query: string): Promise<number> {
  const { result } = await ask<{ result: readonly unknown[] }>(`query?query=${encodeURIComponent(query)}`);
  return result.length;
}

async function untilFound(what: string, query: string): Promise<void> {
  await until(async () => (await samples(query)) > 0, TEST_MS / 4).catch((cause: unknown) => {
    throw new Error(`nothing for ${what}: ${query}`, { cause });
  });
}

async function rules(): Promise<readonly Rule[]> {
  const { groups } = await ask<{ groups: readonly { readonly rules: readonly Rule[] }[] }>('rules');
  return groups.flatMap((group) => group.rules);
}

const stateOf = async (name: string) => (await rules()).find((rule) => rule.name === name)!.state;
const untilState = (name: string, state: Rule['state']) =>
  until(async () => (await stateOf(name)) === state, TEST_MS / 2);

/** Something of everything that there are metrics of. */
async function beUsed({ http }: TestServer): Promise<void> {
  const check = { type: 'http', http_path: '/', interval: 1 };
  await register(http, { service_name: 'web', id: 'a', port: target.port, health_check: check });
  await http.get('/api/v1/services/web');
  await http.get('/api/v1/services/web/instance');
  await http.get('/api/v1/services/nobody');
  await http.put('/api/v1/config/web', { a: 1 });
  await http.put(`${instancePath('web', 'a')}/heartbeat`, { load_percentage: 0.95 });
}

(here ? describe : describe.skip)('a Prometheus that scrapes the server', () => {
  beforeAll(async () => {
    registry = await started(startRedis(FORGETFUL));
    target = await started(Target.start());
    const environment = { REGISTRY_TYPE: 'redis', REDIS_URL: registry.address, HEALTH_CHECK_ENABLED: 'true' };
    server = await started(TestServer.start(environment));
    // Nobody waits for minutes here.
    const impatient = (await readFile(RULES, 'utf8')).replaceAll(/for: \d+[ms]/g, 'for: 1s');
    const ruleFile = join(await temporaryFolder(), 'rules.yaml');
    await writeFile(ruleFile, impatient);
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [ruleFile],
      scrape_configs: [{ job_name: JOB, static_configs: [{ targets: [new URL(server.url).host] }] }],
    };
    prometheus = await started(startPrometheus(config));
    await beUsed(server);
  }, TEST_MS);
  afterAll(async () => {
    for (const part of running.reverse()) await part.stop();
    await endProcesses();
  });

  it(
    'finds something for every panel of the dashboard',
    async () => {
      const { panels } = JSON.parse(await readFile(join(FILES, 'grafana/service-discovery.json'), 'utf8')) as Dashboard;
      const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
      expect(queries.length).toBeGreaterThan(25);
      for (const { title, expr } of queries) {
        const query = expr.replaceAll('$__rate_interval', '1m').replaceAll('$job', JOB).replaceAll('$instance', '.*');
        await untilFound(title, query);
      }
    },
    TEST_MS,
  );

  it(
    'has what every rule is about',
    async () => {
      for (const { name, query } of await rules()) {
        const [measured] = query.split(/ (?:==|>) [\d.]+$/);
        // An error of the server is not brought about here.
        const about = measured!.replace('{status=~"5.."}', '').replace(/\{result=~?"[^"]*"\}/, '');
        await untilFound(name, about);
      }
    },
    TEST_MS,
  );

  it(
    'raises alerts while the registry is away and a service has nobody, and no longer than that',
    async () => {
      await untilState('ServiceDiscoveryRegistryAway', 'inactive');
      await registry.kill();
      await untilState('ServiceDiscoveryRegistryAway', 'firing');
      await registry.restart();
      await untilState('ServiceDiscoveryRegistryAway', 'inactive');
      await register(server.http, { service_name: 'lonely', id: 'x' });
      await report(server.http, 'lonely', 'x', 'critical');
      await untilState('ServiceDiscoveryServiceUnhealthy', 'firing');
      await report(server.http, 'lonely', 'x', 'passing');
      await untilState('ServiceDiscoveryServiceUnhealthy', 'inactive');
    },
    2 * TEST_MS,
  );

  it('takes the rules, which promtool has tried, and what Compose gives it', async () => {
    expect(await runPromtool(['check', 'config', join(FILES, 'prometheus/prometheus.yaml')])).toMatchObject({
      code: 0,
    });
    const tried = await runPromtool(['test', 'rules', join(FILES, 'prometheus/rules.test.yaml')]);
    expect(tried).toMatchObject({ code: 0, output: expect.stringContaining('SUCCESS') });
  });
});
