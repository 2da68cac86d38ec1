import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { silentLogger } from '#core';
import { jsonIn, WatchedFiles } from './watched-files.js';

let folder: string;
let path: string;
let opened: WatchedFiles<unknown> | undefined;
/** Of each line that is logged as an error: why. */
let complaints: string[];
let next: () => void;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'service-discovery-files-'));
  path = join(folder, 'file.json');
  complaints = [];
});
afterEach(async () => {
  opened?.stop();
  await rm(folder, { recursive: true });
});

const happening = () => new Promise<void>((resolve) => (next = resolve));
const error = (fields: object) => {
  complaints.push((fields as { reason: string }).reason);
  next();
};

async function open(): Promise<unknown[]> {
  const values: unknown[] = [];
  const changed = (value: unknown) => {
    values.push(value);
    next();
  };
  const parse = ([text]: readonly string[]) => jsonIn(text!);
  opened = await WatchedFiles.open({ paths: [path], parse, changed, logger: { ...silentLogger, error } });
  return values;
}

it('tells what has changed, by content: not what was written again, nor what lies at another place now', async () => {
  await writeFile(path, '1');
  const values = await open();
  await writeFile(path, '1');
  await writeFile(join(folder, 'other'), '2');
  const told = happening();
  await rename(join(folder, 'other'), path);
  await told;
  expect([values, opened!.value]).toEqual([[2], 2]);
});

it('keeps what was good while the file is not, says so once, and goes on', async () => {
  await writeFile(path, '1');
  const values = await open();
  let told = happening();
  await writeFile(path, '{"secret"');
  await told;
  expect([complaints, opened!.value]).toEqual([['is not JSON'], 1]);
  told = happening();
  await rm(path);
  await told;
  expect(complaints[1]).toContain('ENOENT');
  told = happening();
  await writeFile(path, '3');
  await told;
  expect([values, complaints.length, opened!.value]).toEqual([[3], 2, 3]);
});

it('is no reason for a process to stay, and says at the start what is wrong', async () => {
  await expect(open()).rejects.toThrow(`${path}: ENOENT`);
});
