import type { ChildProcess } from 'node:child_process';
import { afterEach, describe, expect, it } from '@jest/globals';
import { HttpClient } from '../support/http-client.js';
import { instancePath, register } from '../support/instances.js';
import { endProcesses, ServerProcess, TEST_MS, within } from '../support/process.js';
import { until } from '../support/until.js';
import { resultOf, Sdctl, type Result } from './support/sdctl.js';

const PATIENCE_MS = 60_000;

const ended: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
  await endProcesses();
});

async function started(): Promise<{ process: ServerProcess; url: string; http: HttpClient }> {
  const process = await ServerProcess.start({ HEALTH_CHECK_ENABLED: 'false' });
  const http = new HttpClient(process.url);
  ended.push(() => http.close());
  return { process, url: process.url, http };
}

interface Watching {
  readonly child: ChildProcess;
  readonly told: { stdout: string; stderr: string };
  readonly ended: Promise<Result>;
}

/** Watches until the test is over, at the latest. */
function watching(child: ChildProcess): Watching {
  const told = { stdout: '', stderr: '' };
  child.stdout!.on('data', (text) => (told.stdout += String(text)));
  child.stderr!.on('data', (text) => (told.stderr += String(text)));
  const result = resultOf(child);
  ended.push(() => {
    child.kill('SIGKILL');
    return result;
  });
  return { child, told, ended: result };
}

async function says({ told }: Watching, text: string): Promise<void> {
  await until(() => told.stdout.includes(text), PATIENCE_MS);
}

describe('sdctl watch', () => {
  it(
    'tells what happens to one service, a line each, until Ctrl-C',
    async () => {
      const { url, http } = await started();
      const watch = watching(new Sdctl(url).spawn(['watch', 'API', '--tags', 'v1']));
      await says(watch, 'snapshot  0 instances, live\n');
      await register(http, { service_name: 'shop', service_id: 'other', tags: ['v1'] });
      await register(http, { service_id: 'untagged' });
      await register(http, { service_id: 'one', tags: ['v1'] });
      await says(watch, 'registered  api one  passing  http://127.0.0.1:8080\n');
      await http.delete(instancePath('api', 'one'));
      await says(watch, 'deregistered  api one  gone\n');
      watch.child.kill('SIGINT');
      const { code, stdout, stderr } = await within(watch.ended, 'its end');
      expect([code, stderr]).toEqual([130, '']);
      for (const line of stdout.trimEnd().split('\n')) expect(line).toMatch(/^\d\d:\d\d:\d\d {2}[a-z]+/);
      expect(stdout).not.toMatch(/other|untagged/);
    },
    TEST_MS,
  );

  it(
    'goes on at another server when one dies, as JSON a line each',
    async () => {
      const servers = [await started(), await started()] as const;
      for (const { http, process } of servers) await register(http, { service_id: String(process.port) });
      const watch = watching(new Sdctl(servers.map(({ url }) => url).join()).spawn(['watch', '-o', 'json']));
      await says(watch, '\n');
      const events = () =>
        watch.told.stdout
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as { event: string; instances: { service_id: string }[] });
      const [first] = events();
      expect(first!.event).toBe('snapshot');
      const portIn = (event: typeof first) => Number(event!.instances[0]!.service_id);
      const [dying, other] = servers[0].process.port === portIn(first) ? servers : [servers[1], servers[0]];
      expect(portIn(first)).toBe(dying.process.port);
      await dying.process.end('SIGKILL');
      await until(() => events().some(({ event }) => event === 'resync'), PATIENCE_MS);
      expect(portIn(events().find(({ event }) => event === 'resync'))).toBe(other.process.port);
      expect(watch.told.stderr).toMatch(/^sdctl: .*; trying again\n/);
    },
    TEST_MS,
  );

  it(
    'ends quietly when nobody reads any further, and at once where nothing can be watched',
    async () => {
      const { url, http } = await started();
      const watch = watching(new Sdctl(url).spawn(['watch', '-o', 'name']));
      await register(http, { service_id: 'first' });
      await says(watch, 'first\n');
      watch.child.stdout!.destroy();
      await register(http, { service_id: 'next' });
      const { code, stderr } = await within(watch.ended, 'its end');
      expect([code, stderr]).toEqual([0, '']);
      expect(await new Sdctl(url).run(['watch', 'a b'])).toMatchObject({ code: 1, stdout: '' });
    },
    TEST_MS,
  );
});

describe('--watch', () => {
  it(
    'prints a table anew at each change in a pipe, and what has gone wrong meanwhile',
    async () => {
      const { url, http } = await started();
      await register(http, { service_id: 'one' });
      const sdctl = new Sdctl(url);
      const tables = watching(sdctl.spawn(['services', '--watch']));
      const names = watching(sdctl.spawn(['instances', 'api', '--watch', '-o', 'name']));
      await Promise.all([says(tables, 'api      passing  1/1\n'), says(names, 'one\n')]);
      await register(http, { service_id: 'two', status: 'critical' });
      await Promise.all([says(tables, 'api      warning  1/2\n'), says(names, 'one\ntwo\n')]);
      for (const id of ['one', 'two']) await http.delete(instancePath('api', id));
      await says(tables, 'There are no such services.\n');
      await until(() => names.told.stderr.includes('sdctl: there is no service api now\n'), PATIENCE_MS);
      expect(tables.told.stdout.match(/^SERVICE/gm)!.length).toBeGreaterThan(1);
      for (const { child, ended } of [tables, names]) {
        child.kill('SIGINT');
        expect((await within(ended, 'its end')).code).toBe(130);
      }
    },
    TEST_MS,
  );

  it(
    'prints how a service is, or one of its instances, anew at each change',
    async () => {
      const { url, http } = await started();
      await register(http, { service_id: 'one' });
      const sdctl = new Sdctl(url);
      const service = watching(sdctl.spawn(['health', 'API', '--watch']));
      const instance = watching(sdctl.spawn(['health', 'one', '--of', 'api', '--watch']));
      await Promise.all([says(service, 'api is passing: 1 of 1 healthy\n'), says(instance, 'api one is passing\n')]);
      await http.put(`${instancePath('api', 'one')}/heartbeat`, { status: 'critical' });
      await Promise.all([says(service, 'api is critical: 0 of 1 healthy\n'), says(instance, 'api one is critical\n')]);
      for (const { child, ended } of [service, instance]) {
        child.kill('SIGINT');
        expect((await within(ended, 'its end')).code).toBe(130);
      }
    },
    TEST_MS,
  );

  it(
    'draws a table in a terminal in place of the one before, no higher than the screen',
    async () => {
      const { url, http } = await started();
      const screen = watching(new Sdctl(url).spawnInTerminal(80, ['services', '--watch']));
      await says(screen, '\u001b[2J\u001b[HThere are no such services.');
      for (let i = 0; i < 60; i++) await register(http, { service_name: `api-${i}` });
      await says(screen, '… 15 more\r\n');
      // Another one, of the same, may be on its way already.
      const full = screen.told.stdout.split('\u001b[2J\u001b[H').find((drawn) => drawn.includes('… 15 more\r\n'))!;
      expect(full.split('\r\n')).toHaveLength(48);
      screen.child.kill('SIGINT');
      expect((await within(screen.ended, 'its end')).code).toBe(130);
    },
    TEST_MS,
  );
});
