import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '../support/until.js';
import { Server } from './server.js';

const LOADER = join(import.meta.dirname, '../support/typescript.mjs');
const OWNER = join(import.meta.dirname, 'owner.ts');
const TEST_MS = 60_000;

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('a server', () => {
  let server: Server | undefined;
  afterEach(() => server?.stop());

  it.each(['SIGINT', 'SIGKILL'] as const)(
    'does not outlive the process that started it, ended by %s',
    async (signal) => {
      const owner = spawn(process.execPath, ['--import', LOADER, OWNER], { stdio: ['ignore', 'pipe', 'inherit'] });
      const lines = createInterface(owner.stdout)[Symbol.asyncIterator]();
      const folder = String((await lines.next()).value);
      const pid = Number((await lines.next()).value);
      expect([isRunning(pid), existsSync(folder)]).toEqual([true, true]);
      owner.kill(signal);
      await once(owner, 'close');
      await until(() => !isRunning(pid) && !existsSync(folder));
    },
    TEST_MS,
  );

  it('is started again on other ports when somebody was faster', async () => {
    const attempts: string[] = [];
    server = await Server.start('sleep', async (folder) => {
      attempts.push(folder);
      const taken = attempts.length === 1;
      return {
        program: 'sh',
        args: ['-c', taken ? 'echo bind: Address already in use; exit 1' : 'exec sleep 600'],
        address: '',
        ready: async () => {
          if (taken) throw new Error('not yet');
        },
      };
    });
    expect(attempts.map((folder) => existsSync(folder))).toEqual([false, true]);
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
