import { readFileSync, readdirSync } from 'node:fs';
import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { afterEach, describe, expect, it } from '@jest/globals';
import { describeOwn } from '../servers/describe-own.js';
import { freePort } from '../servers/ports.js';
import { FORGETFUL, redis, startRedis } from '../servers/redis.js';
import { HttpClient } from '../support/http-client.js';
import { endProcesses, ServerProcess, TEST_MS, within, type Environment } from '../support/process.js';
import { until } from '../support/until.js';
import { resultOf, Sdctl, type Result } from './support/sdctl.js';

const PATIENCE_MS = 60_000;

/** Says that it runs, and what it was told. */
const SERVICE = `
  process.on('SIGTERM', () => { console.log('told SIGTERM'); process.exit(7); });
  process.on('SIGUSR2', () => console.log('told SIGUSR2'));
  setInterval(() => {}, 1000);
  console.log('runs', process.pid);
`;

let running: ChildProcess | undefined;
let http: HttpClient | undefined;

afterEach(async () => {
  if (running && running.exitCode === null && running.signalCode === null) {
    const gone = once(running, 'close');
    running.kill('SIGTERM');
    running.kill('SIGTERM');
    await gone;
  }
  await http?.close();
  http = undefined;
  await endProcesses();
});

/** A server on a port of its own, and `sdctl run` of a command in front of it. */
async function run(port: number, command: readonly string[], options: readonly string[] = []): Promise<Run> {
  const sdctl = new Sdctl(`http://127.0.0.1:${port}`);
  const place = ['run', '--name', 'api', '--id', 'one', '--port', '8080', '--host', '127.0.0.1', '--ttl', '5s'];
  const child = sdctl.spawn([...place, ...options, '--', ...command]);
  running = child;
  const told = { stdout: '', stderr: '' };
  child.stdout!.on('data', (text) => (told.stdout += String(text)));
  child.stderr!.on('data', (text) => (told.stderr += String(text)));
  return { child, told, ended: resultOf(child) };
}

interface Run {
  readonly child: ChildProcess;
  readonly told: { stdout: string; stderr: string };
  readonly ended: Promise<Result>;
}

function serve(port: number, registry: Environment = {}): Promise<ServerProcess> {
  http ??= new HttpClient(`http://127.0.0.1:${port}`);
  return ServerProcess.start({ SERVICE_PORT: String(port), HEALTH_CHECK_ENABLED: 'false', ...registry });
}

async function registeredIds(): Promise<string[]> {
  const answer = await http!.get<{ service_id: string }[]>('/api/v1/services/api/instances');
  return answer.status === 200 ? answer.data.map(({ service_id }) => service_id) : [];
}

async function registered(): Promise<void> {
  await until(async () => (await registeredIds()).length === 1, PATIENCE_MS);
}

/** Processes that have ended and that nobody has asked after, of those that this one has started. */
function zombiesOf(parent: number): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const [state, ppid] = readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
        return state === 'Z' && Number(ppid) === parent;
      } catch {
        return false;
      }
    });
}

describe('sdctl run', () => {
  it(
    'keeps a process registered through a restart of the server; told to end, it is out before its process hears of it',
    async () => {
      const port = await freePort();
      const first = await serve(port);
      const { child, told, ended } = await run(port, [process.execPath, '-e', SERVICE], ['--drain', '100ms']);
      await registered();
      await first.end('SIGKILL');
      const second = await serve(port);
      await registered();

      child.kill('SIGUSR2');
      await until(() => told.stdout.includes('told SIGUSR2'), PATIENCE_MS);
      child.kill('SIGTERM');
      const { code } = await within(ended, 'its end');
      expect(code).toBe(7);
      expect(told.stdout).toMatch(/^runs \d+\ntold SIGUSR2\ntold SIGTERM\n$/);
      expect(await registeredIds()).toEqual([]);
      const of = (cause: string) => second.log.find((line) => line.cause === cause);
      expect(of('deregistered')).toBeDefined();
      expect(told.stderr).toMatch(/^sdctl: registered as api one\n[^]*sdctl: deregistered\n$/);
      const pid = Number(/runs (\d+)/.exec(told.stdout)![1]);
      expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    },
    TEST_MS,
  );

  it(
    'starts before there is a server, and registers when there is one; its process ends by itself',
    async () => {
      const port = await freePort();
      const command = [process.execPath, '-e', `process.on('SIGUSR2', () => process.exit(3)); ${SERVICE}`];
      const { child, told, ended } = await run(port, command);
      await until(() => told.stderr.includes('trying again'), PATIENCE_MS);
      await serve(port);
      await registered();
      expect(zombiesOf(child.pid!)).toEqual([]);
      child.kill('SIGUSR2');
      expect((await within(ended, 'its end')).code).toBe(3);
      expect(await registeredIds()).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'ends with what its process has ended with, or why there is none',
    async () => {
      const port = await freePort();
      await serve(port);
      for (const [command, code] of [
        [['sh', '-c', 'exit 9'], 9],
        [['sh', '-c', 'kill -KILL $$'], 137],
        [['no-such-command'], 127],
        [['/'], 126],
      ] as const) {
        const { ended } = await run(port, command);
        expect((await within(ended, 'its end')).code).toBe(code);
      }
      const { ended } = await run(port, [process.execPath, '-e', SERVICE], ['--weight', '99999999']);
      const { code, stderr } = await within(ended, 'its end');
      expect(code).toBe(125);
      expect(stderr).toContain('cannot register it: the request is not valid; weight');
    },
    TEST_MS,
  );

  it(
    'told twice, waits for no caller',
    async () => {
      const port = await freePort();
      await serve(port);
      const { child, told, ended } = await run(port, [process.execPath, '-e', SERVICE], ['--drain', '1h']);
      await until(() => told.stderr.includes('registered') && told.stdout.includes('runs'), PATIENCE_MS);
      child.kill('SIGINT');
      const critical = async () => {
        const answer = await http!.get<{ status: string }[]>('/api/v1/services/api/instances');
        return answer.data[0]?.status === 'critical';
      };
      await until(critical, PATIENCE_MS);
      expect(told.stdout).not.toContain('told');
      child.kill('SIGTERM');
      await within(ended, 'its end');
      expect(await registeredIds()).toEqual([]);
    },
    TEST_MS,
  );
});

describeOwn(redis)('sdctl run, in front of a registry', () => {
  it(
    'keeps a process registered through an outage in which the registry loses everything',
    async () => {
      const registry = await startRedis(FORGETFUL);
      try {
        const port = await freePort();
        await serve(port, { REGISTRY_TYPE: 'redis', REDIS_URL: registry.address });
        const { child, told, ended } = await run(port, [process.execPath, '-e', SERVICE], ['--drain', '100ms']);
        await registered();
        const sourceOf = async () => (await http!.get('/api/v1/services')).headers['x-registry-source'];
        await registry.kill();
        await until(async () => (await sourceOf()) === 'stale', PATIENCE_MS);
        await registry.restart();
        await until(async () => (await sourceOf()) === 'live' && (await registeredIds()).length === 1, PATIENCE_MS);
        child.kill('SIGTERM');
        expect((await within(ended, 'its end')).code).toBe(7);
        // One process all the time.
        expect(told.stdout).toMatch(/^runs \d+\ntold SIGTERM\n$/);
        expect(await registeredIds()).toEqual([]);
      } finally {
        await registry.stop();
      }
    },
    TEST_MS,
  );
});
