import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ServiceInstance } from '#core';
import { durable, temporaryFolder } from './testing/durable.js';

const TESTING = join(import.meta.dirname, 'testing');
const TYPESCRIPT = join(import.meta.dirname, '../../../test/support/typescript.mjs');
const ROUNDS = process.env.SOAK ? 60 : 3;

type Moment = 'while it starts' | 'while it writes';

/** What the child said that was acknowledged, in order. */
async function writeUntilKilled(dataDir: string, name: string, moment: Moment): Promise<string[]> {
  const loader = ['--conditions=source', '--import', TYPESCRIPT];
  const child = spawn(process.execPath, [...loader, join(TESTING, 'writer.ts'), dataDir, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const closed = once(child, 'close');
  if (moment === 'while it writes') await once(child.stdout, 'data');
  await sleep(Math.random() * 1_000);
  child.kill('SIGKILL');
  const [, signal] = await closed;
  expect(signal).toBe('SIGKILL');
  // The last line may be cut.
  return output.split('\n').slice(0, -1);
}

/** What each instance must look like: `undefined` when both is right, because nobody heard the end of it. */
class Expectations {
  private readonly expected = new Map<string, 'registered' | 'changed' | 'left' | undefined>();

  heed(lines: readonly string[]): void {
    for (const line of lines) {
      const [word, id] = line.split(' ') as [string, string?];
      if (id === undefined) continue;
      this.expected.set(id, word === 'leaving' ? undefined : (word as 'registered' | 'changed' | 'left'));
    }
  }

  violations(instances: readonly ServiceInstance[]): string[] {
    const found = new Map(instances.map((instance) => [instance.serviceId, instance]));
    return [...this.expected].flatMap(([id, state]) => {
      const instance = found.get(id);
      if (state === 'left') return instance ? [`${id} came back`] : [];
      if (state === 'registered' && !instance) return [`${id} is lost`];
      if (state === 'changed' && instance?.tags[0] !== 'changed') return [`the change of ${id} is lost`];
      return [];
    });
  }

  get size(): number {
    return this.expected.size;
  }
}

describe('a server that is killed', () => {
  let dataDir: string;

  beforeEach(async () => {
    dataDir = await temporaryFolder();
  });

  afterEach(() => rm(dataDir, { recursive: true }));

  it(
    'comes back with all that it has acknowledged',
    async () => {
      const expectations = new Expectations();
      for (let round = 0; round < ROUNDS; round++) {
        const moment = round % 3 === 1 ? 'while it starts' : 'while it writes';
        expectations.heed(await writeUntilKilled(dataDir, `round-${round}`, moment));
        const backend = durable(dataDir);
        await backend.start();
        const { instances } = await backend.list();
        await backend.stop();
        expect(expectations.violations(instances)).toEqual([]);
      }
      expect(expectations.size).toBeGreaterThan(0);
    },
    ROUNDS * 10_000,
  );
});
