import { createHash } from 'node:crypto';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { HttpClient } from '../support/http-client.js';
import { ids, register, type Service, type ServiceSummary } from '../support/instances.js';
import { endProcesses, TEST_MS, ServerProcess, temporaryFolder, type Environment } from '../support/process.js';
import { until } from '../support/until.js';
import { Writers } from '../support/writers.js';

const ROUNDS = 3;
/** How late the end of a lease may come on a busy machine; a process that stood still gives that time back. */
const LATE_MS = 4_000;
/** Clocks are read to the millisecond, and one after the other. */
const EARLY_MS = 100;
const SERVICES = '/api/v1/services';

// The tests of this file run side by side.
afterAll(endProcesses);

async function onFolder<T>(
  environment: Environment,
  work: (http: HttpClient, server: ServerProcess) => Promise<T>,
): Promise<T> {
  const server = await ServerProcess.start(environment);
  const http = new HttpClient(server.url);
  try {
    return await work(http, server);
  } finally {
    await http.close();
    await server.end('SIGKILL');
  }
}

/** Every file of a folder by its content. */
async function contents(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hash = async (path: string) =>
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  return Object.fromEntries(await Promise.all(files.sort().map(async (path) => [path, await hash(path)] as const)));
}

describe('kill -9 under registrations at full speed', () => {
  it.concurrent(
    'loses nothing that was acknowledged',
    async () => {
      const DATA_DIR = await temporaryFolder();
      const writers = new Writers();
      for (let round = 0; round < ROUNDS; round++) {
        const acknowledged = writers.size;
        await onFolder({ DATA_DIR }, async (http, server) => {
          expect(await writers.violations(http)).toEqual([]);
          const written = writers.writeUntilAway(server.url, `round-${round}`);
          await until(() => writers.size > acknowledged + 100, 30_000);
          await sleep(Math.random() * 500);
          await server.end('SIGKILL');
          await written;
        });
      }
      await onFolder({ DATA_DIR }, async (http) => {
        expect(await writers.violations(http)).toEqual([]);
        const { version } = await register(http, { service_name: 'later' });
        expect(Number(version)).toBeGreaterThan(writers.lastVersion);
      });
    },
    TEST_MS,
  );
});

describe('a restart after kill -9', () => {
  it.concurrent(
    'keeps what was left of each lease, with a heartbeat interval of grace',
    async () => {
      const grace = 3;
      const environment = { DATA_DIR: await temporaryFolder(), SERVICE_TTL: '20', HEARTBEAT_INTERVAL: String(grace) };
      const registered = await onFolder(environment, async (http) => {
        const leased = (name: string, ttl: number) => register(http, { service_name: name, id: name, ttl });
        await Promise.all([leased('ended', 5), leased('renewed', 5), leased('long', 12)]);
        return Date.now();
      });
      // The leases run on while nobody is there: that is what is tested.
      await sleep(5_500);
      await onFolder(environment, async (http, server) => {
        const { at: back } = server.log.find(({ msg }) => msg === 'the view follows the registry')!;
        const expired = (name: string) =>
          server.logged(({ cause, serviceName }) => cause === 'expired' && serviceName === name, `the end of ${name}`);
        await http.put(`${SERVICES}/renewed/instances/renewed/heartbeat`);
        const beaten = Date.now();
        const { data } = await http.get<ServiceSummary[]>(SERVICES);
        expect(data.map(({ service_name }) => service_name)).toEqual(['ended', 'long', 'renewed']);

        const { at: ended } = await expired('ended');
        expect(ended - back).toBeGreaterThan(grace * 1_000 - 10 * EARLY_MS);
        expect(ended - back).toBeLessThan(grace * 1_000 + LATE_MS);
        const { at: renewed } = await expired('renewed');
        expect(renewed - beaten).toBeGreaterThan(5_000 - EARLY_MS);
        // Neither thrown out nor given a whole lease anew.
        const { at: long } = await expired('long');
        expect(long - registered).toBeGreaterThan(12_000 - EARLY_MS);
        expect(long - registered).toBeLessThan(12_000 + LATE_MS);
      });
    },
    TEST_MS,
  );

  it.concurrent(
    'lets versions go on, and answers a long poll of the life before at once',
    async () => {
      const DATA_DIR = await temporaryFolder();
      const before = await onFolder({ DATA_DIR }, async (http) => {
        const { version } = await register(http, { id: 'a' });
        // The last word is a removal's.
        await register(http, { id: 'b' });
        const { revision } = await http.delete(`${SERVICES}/api/instances/b`);
        return { revision, version: Number(version) };
      });
      await onFolder({ DATA_DIR }, async (http) => {
        const asked = performance.now();
        const { data } = await http.get<Service>(`${SERVICES}/api?index=${before.revision}&wait=30s`);
        expect(performance.now() - asked).toBeLessThan(5_000);
        expect(ids(data.instances)).toEqual(['a']);
        // Two more had gone to b.
        const { version } = await register(http, { id: 'c' });
        expect(Number(version)).toBeGreaterThan(before.version + 2);
      });
    },
    TEST_MS,
  );

  it.concurrent(
    'finds nothing without DATA_DIR, and has said so',
    async () => {
      const backend = async (http: HttpClient) =>
        (await http.get<{ backend: object }>('/api/v1/capabilities')).data.backend;
      await onFolder({}, async (http) => {
        await register(http);
        expect(await backend(http)).toMatchObject({ durable: false, notes: [expect.stringContaining('DATA_DIR')] });
      });
      await onFolder({}, async (http) => expect((await http.get(SERVICES)).data).toEqual([]));
      await onFolder({ DATA_DIR: await temporaryFolder() }, async (http) =>
        expect(await backend(http)).toMatchObject({ durable: true, notes: [] }),
      );
    },
    TEST_MS,
  );
});

describe('a folder that the server may not take', () => {
  let filled: Promise<string> | undefined;

  /** A copy of a folder with two instances. */
  async function copy(): Promise<string> {
    filled ??= temporaryFolder().then(async (DATA_DIR) => {
      const two = ['10.0.0.1', '10.0.0.2'].map((address) => ({ name: 'api', address, port: 80 }));
      await onFolder({ DATA_DIR }, (http) => http.post(`${SERVICES}/batch`, two));
      return DATA_DIR;
    });
    const folder = await temporaryFolder();
    await cp(await filled, folder, { recursive: true });
    return folder;
  }

  /** It must end with one line that names the folder. */
  async function refused(DATA_DIR: string, why: RegExp): Promise<void> {
    const { code, stdout, stderr } = await ServerProcess.run({ DATA_DIR });
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toContain(`DATA_DIR=${DATA_DIR}`);
    expect(stderr).toMatch(why);
    expect(stdout).not.toContain('serving');
    expect(code).toBe(1);
  }

  /** And leave the folder as it was. */
  async function refusedUntouched(DATA_DIR: string, why: RegExp): Promise<void> {
    const before = await contents(DATA_DIR);
    await refused(DATA_DIR, why);
    expect(await contents(DATA_DIR)).toEqual(before);
  }

  it.concurrent(
    'is in use by another server, which goes on',
    async () => {
      const DATA_DIR = await temporaryFolder();
      await onFolder({ DATA_DIR }, async (http) => {
        await refused(DATA_DIR, /in use by another process/);
        await register(http);
      });
    },
    TEST_MS,
  );

  it.concurrent('holds something else', async () => {
    const DATA_DIR = await temporaryFolder();
    await writeFile(join(DATA_DIR, 'holiday.jpg'), 'not ours');
    await refusedUntouched(DATA_DIR, /holiday\.jpg/);
  });

  it.concurrent(
    'was written by a newer release',
    async () => {
      const DATA_DIR = await copy();
      const marker = join(DATA_DIR, 'service-discovery.json');
      await writeFile(marker, JSON.stringify({ ...JSON.parse(await readFile(marker, 'utf8')), v: 99 }));
      await refusedUntouched(DATA_DIR, /newer release/);
    },
    TEST_MS,
  );

  it.concurrent(
    'has lost a part',
    async () => {
      const DATA_DIR = await copy();
      await writeFile(join(DATA_DIR, 'service-discovery.json'), '{"format": "service');
      await refusedUntouched(DATA_DIR, /is corrupt/);
    },
    TEST_MS,
  );

  it.concurrent(
    'is damaged, which a second start does not forget',
    async () => {
      const DATA_DIR = await copy();
      const registry = join(DATA_DIR, 'registry');
      const name = (await readdir(registry)).find((each) => each.endsWith('.log'))!;
      const bytes = await readFile(join(registry, name));
      await writeFile(join(registry, name), bytes.fill(0xff, Math.floor(bytes.length / 2)));
      await refused(DATA_DIR, /is corrupt/);
      await refused(DATA_DIR, /is corrupt/);
    },
    TEST_MS,
  );
});
