import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { endProcesses, temporaryFolder } from '../support/process.js';
import { cached, fillCache } from './cache.js';

/** More than any process has. */
const NOBODY = '4194305';

describe('the cache', () => {
  const before = process.env.XDG_CACHE_HOME;
  beforeAll(async () => {
    process.env.XDG_CACHE_HOME = await temporaryFolder();
  });
  afterAll(async () => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
    await endProcesses();
  });

  it('is filled once, however many ask', async () => {
    let made = 0;
    const make = async (folder: string) => writeFile(join(folder, 'program'), String(++made));
    await Promise.all([fillCache('tool-1', make), fillCache('tool-1', make)]);
    await fillCache('tool-1', make);
    expect(await readFile(join(cached('tool-1'), 'program'), 'utf8')).toBe('1');
  });

  it('keeps nothing of what failed, and tries again', async () => {
    const failing = async (folder: string) => {
      await writeFile(join(folder, 'half'), '');
      throw new Error('no compiler');
    };
    await expect(fillCache('tool-2', failing)).rejects.toThrow('no compiler');
    expect((await readdir(cached(''))).filter((name) => name.startsWith('tool-2'))).toEqual([]);
    await fillCache('tool-2', async () => undefined);
    expect(existsSync(cached('tool-2'))).toBe(true);
  });

  it('does not wait for a process that is no more', async () => {
    await writeFile(cached('tool-3.lock'), NOBODY);
    await fillCache('tool-3', async () => undefined);
    expect(existsSync(cached('tool-3'))).toBe(true);
  });
});
