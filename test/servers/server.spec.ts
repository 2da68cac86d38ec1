import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '../support/until.js';
import { Server } from './server.js';

const SUPPORT = join(import.meta.dirname, '../support');
const LOADER = ['--import', join(SUPPORT, 'typescript.mjs')];
const OWNER = join(import.meta.dirname, 'owner.ts');
/** As jest does with its workers. */
const FORK = `require('child_process').fork(process.argv[1], { execArgv: process.argv.slice(2), stdio: 'inherit' })`;
const TEST_MS = 60_000;

describe('a server', () => {
  let server: Server | undefined;
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });

  it.each<[string, NodeJS.Signals, string[]]>([
    ['is interrupted', 'SIGINT', [...LOADER, OWNER]],
    ['is killed', 'SIGKILL', [...LOADER, OWNER]],
    [
      'is a worker whose test runner is killed',
      'SIGKILL',
      ['-e', FORK, OWNER, ...LOADER, '--import', join(SUPPORT, 'end-with-parent.mjs')],
    ],
  ])(
    'ends, and its data with it, when what started it %s',
    async (_, signal, args) => {
      const owner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const lines = createInterface(owner.stdout)[Symbol.asyncIterator]();
      const folder = String((await lines.next()).value);
      const pid = Number((await lines.next()).value);
      expect([isRunning(pid), existsSync(folder)]).toEqual([true, true]);
      owner.kill(signal);
      await once(owner, 'exit');
      await until(() => !isRunning(pid) && !existsSync(folder));
    },
    TEST_MS,
  );

  it('is started again on other ports when somebody was faster', async () => {
    const folders: string[] = [];
    server = await Server.start('sleep', async (folder) => {
      folders.push(folder);
      const taken = folders.length === 1;
      return {
        program: 'sh',
        args: ['-c', taken ? 'echo bind: Address already in use; exit 1' : 'exec sleep 600'],
        address: '',
        ready: async () => {
          if (taken) throw new Error('not yet');
        },
      };
    });
    expect(folders.map((folder) => existsSync(folder))).toEqual([false, true]);
  });

  it('says why it ended before it answered', async () => {
    const start = Server.start('sh', async () => ({
      program: 'sh',
      args: ['-c', 'echo no such option; exit 1'],
      address: '',
      ready: () => Promise.reject(new Error('not yet')),
    }));
    await expect(start).rejects.toThrow(/sh ended before it answered:\nno such option/);
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
