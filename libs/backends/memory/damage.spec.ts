import { cp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keyOf, keyText, type RegistrySnapshot } from '#core';
import { registration } from '#core/testing';
import type { MemoryBackend } from './backend.js';
import { durable, temporaryFolder } from './testing/durable.js';

const actor = 'test';
/** Places in each file that are tried. */
const PLACES = process.env.SOAK ? 500 : 8;
/** Large enough for a log of several of LevelDB's blocks of 32 KiB: it goes on reading in the next one after damage. */
const metadata = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`key-${i}`, `${i}`.repeat(500)]));

let folder: string;
/** Stopped in the middle of its life: tables of several starts, and a log of the last one. */
let sound: string;
let expected: unknown;

beforeAll(async () => {
  folder = await temporaryFolder();
  sound = join(folder, 'sound');
  for (let start = 0; start < 4; start++) {
    const backend = durable(sound);
    await backend.start();
    for (let i = 0; i < 20; i++) await write(backend, `${start}-${i}`, i % 4);
    expected = comparable(await backend.list());
    await backend.stop();
  }
});

afterAll(() => rm(folder, { recursive: true }));

async function write({ registrar }: MemoryBackend, serviceId: string, turn: number): Promise<void> {
  const given = registration({ serviceId, metadata });
  await registrar.register(given, { actor });
  if (turn === 1) await registrar.update(keyOf(given), { kind: 'patch', tags: ['changed'] }, { actor });
  if (turn === 2) await registrar.deregister(keyOf(given), { actor, cause: 'deregistered' });
}

function comparable({ instances, ...rest }: RegistrySnapshot): unknown {
  return { ...rest, instances: new Map(instances.map((each) => [keyText(each), each])) };
}

/** What there is after a start; what an operator reads when it is refused. */
async function startOn(dataDir: string): Promise<unknown> {
  const backend = durable(dataDir);
  try {
    await backend.start();
    return comparable(await backend.list());
  } catch (error) {
    return (error as Error).message;
  } finally {
    await backend.stop();
  }
}

async function damaged(work: (dataDir: string) => Promise<void>): Promise<string> {
  const dataDir = join(folder, 'damaged');
  await rm(dataDir, { recursive: true, force: true });
  await cp(sound, dataDir, { recursive: true });
  await work(dataDir);
  return dataDir;
}

async function filesOf(dataDir: string): Promise<string[]> {
  const files = (await readdir(dataDir, { recursive: true })).filter(
    (name) => !/^(registry|configuration)(\/LO.*)?$/.test(name),
  );
  expect(files.map((name) => name.replace(/.*[/.]/, ''))).toEqual(expect.arrayContaining(['ldb', 'log', 'CURRENT']));
  return files.sort();
}

async function fileOf(ending: string, dataDir = sound): Promise<string> {
  return (await filesOf(dataDir)).find((name) => name.startsWith('registry/') && name.endsWith(ending))!;
}

async function flip(file: string, at: number, change = 0xff): Promise<void> {
  const bytes = await readFile(file);
  bytes[at]! ^= change;
  await writeFile(file, bytes);
}

function places(size: number): number[] {
  const step = Math.max(1, Math.floor(size / PLACES));
  return [...new Set([...Array.from({ length: PLACES }, (_, i) => i * step), size - 1])].filter((at) => at < size);
}

/** Whole, or not at all and with a word to the operator: never a part. */
function expectWholeOrRefused(outcome: unknown, what: string): void {
  if (typeof outcome === 'string')
    expect(`${what}: ${outcome}`).toMatch(/: DATA_DIR=\S+ (is|was|holds|cannot) .*: .+$/);
  else expect([what, outcome]).toEqual([what, expected]);
}

describe('a damaged folder', () => {
  it('starts undamaged', async () => {
    expect(await startOn(await damaged(async () => undefined))).toEqual(expected);
  });

  it('never starts with less than was acknowledged when bytes have changed', async () => {
    for (const file of await filesOf(sound)) {
      const { size } = await stat(join(sound, file));
      for (const at of places(size)) {
        for (const change of [0x01, 0xff]) {
          const dataDir = await damaged((of) => flip(join(of, file), at, change));
          expectWholeOrRefused(await startOn(dataDir), `${file}, byte ${at}, xor ${change}`);
        }
      }
    }
  }, 600_000);

  it('never starts with less than was acknowledged when a file is cut or gone', async () => {
    for (const file of await filesOf(sound)) {
      const { size } = await stat(join(sound, file));
      for (const at of places(size)) {
        const dataDir = await damaged((of) => truncate(join(of, file), at));
        expectWholeOrRefused(await startOn(dataDir), `${file} cut at ${at}`);
      }
      // Without the mark it is a folder of somebody; without the watermark it starts as it is.
      expectWholeOrRefused(await startOn(await damaged((of) => rm(join(of, file)))), `${file} gone`);
    }
  }, 600_000);

  it('is refused when a write is missing from the middle of the log', async () => {
    const log = await fileOf('.log');
    const dataDir = await damaged((of) => flip(join(of, log), 100));
    expect(await startOn(dataDir)).toMatch(/is corrupt \((it should hold \d+ instances|its checksum is wrong)/);
  });

  it('is refused before LevelDB reads a damaged table', async () => {
    const table = await fileOf('.ldb');
    const { size } = await stat(join(sound, table));
    for (const at of [0, size >> 1, size - 60]) {
      const dataDir = await damaged((of) => flip(join(of, table), at));
      expect(await startOn(dataDir)).toMatch(/is corrupt \(\d+\.ldb is damaged\)/);
    }
  });

  it('starts with the rest of a merge that was cut short, which is in no use', async () => {
    const table = await fileOf('.ldb');
    const bytes = await readFile(join(sound, table));
    const unfinished = bytes.subarray(0, bytes.length / 2);
    const dataDir = await damaged((of) => writeFile(join(of, 'registry', '000999.ldb'), unfinished));
    expect(await startOn(dataDir)).toEqual(expected);
  });

  it('is refused at the next start too', async () => {
    const log = await fileOf('.log');
    const dataDir = await damaged((of) => truncate(join(of, log), 100));
    const first = await startOn(dataDir);
    expect(first).toMatch(/is corrupt \(changes up to \d+ were acknowledged, only those up to \d+ are there\)/);
    expect(await startOn(dataDir)).toBe(first);
  });

  it('starts without what is missing when the operator says so', async () => {
    const log = await fileOf('.log');
    const dataDir = await damaged((of) => truncate(join(of, log), 100));
    expect(await startOn(dataDir)).toMatch(/delete the file "acknowledged" in it to go on without them$/);
    await rm(join(dataDir, 'acknowledged'));
    expect(await startOn(dataDir)).toHaveProperty('instances');
  });
});

describe('a write that was cut short', () => {
  it('is dropped whole, wherever it was cut', async () => {
    const dataDir = await damaged(async () => undefined);
    const backend = durable(dataDir);
    await backend.start();
    await write(backend, 'acknowledged', 0);
    const before = join(folder, 'before');
    await cp(dataDir, before, { recursive: true });
    const acknowledged = comparable(await backend.list());
    const more = Array.from({ length: 5 }, (_, i) => write(backend, `cut-${i}`, 0));
    await Promise.all(more);
    const whole = comparable(await backend.list());
    await backend.stop();

    const log = await fileOf('.log', before);
    const [{ size: begin }, bytes] = await Promise.all([stat(join(before, log)), readFile(join(dataDir, log))]);
    expect(bytes.length).toBeGreaterThan(begin);
    for (const at of [...places(bytes.length - begin).map((offset) => begin + offset), bytes.length]) {
      const cut = join(folder, 'cut');
      await cp(before, cut, { recursive: true });
      await writeFile(join(cut, log), bytes.subarray(0, at));
      expect([at, await startOn(cut)]).toEqual([at, at === bytes.length ? whole : acknowledged]);
      await rm(cut, { recursive: true });
    }
  }, 60_000);
});
