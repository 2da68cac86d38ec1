import { chmod, cp, mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ClassicLevel } from 'classic-level';
import {
  compareVersions,
  encodeRecord,
  keyOf,
  keyText,
  silentLogger,
  type RegistryBackend,
  type ServiceInstance,
} from '#core';
import { FULL, HOSTILE, registration } from '#core/testing';
import type { MemoryBackend } from './backend.js';
import { memory } from './index.js';
import { LevelDatabase, REGISTRY } from './level-database.js';
import { durable, temporaryFolder } from './testing/durable.js';
import { Watermark } from './watermark.js';

const actor = 'test';
const KEY = keyOf(registration());

let folder: string;
/** Inside of it, and not there at first. */
let dataDir: string;
let open: RegistryBackend[];

beforeEach(async () => {
  folder = await temporaryFolder();
  dataDir = join(folder, 'made', 'by the server');
  open = [];
});

afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(open.map((backend) => backend.stop()));
  await rm(folder, { recursive: true });
});

async function started(context: Parameters<typeof durable>[1] = {}, of = dataDir): Promise<MemoryBackend> {
  const backend = durable(of, context);
  open.push(backend);
  await backend.start();
  return backend;
}

async function find(backend: RegistryBackend, key = KEY): Promise<ServiceInstance | undefined> {
  return (await backend.list()).instances.find((instance) => keyText(instance) === keyText(key));
}

/** What an operator reads. */
async function refusal(of = dataDir): Promise<string> {
  const backend = durable(of);
  try {
    await backend.start();
  } catch (error) {
    return (error as Error).message;
  } finally {
    await backend.stop();
  }
  throw new Error('it has started');
}

function failing(): never {
  throw new Error('input/output error');
}

/** Writes past the backend, as another release might. */
async function writeRaw(values: Record<string, string>): Promise<void> {
  const { database } = await LevelDatabase.open(dataDir, REGISTRY, false);
  await database.write(new Map(Object.entries(values)), database.lastVersion + 1);
  await database.close();
}

describe('a restart', () => {
  it('brings back every field, whatever it holds', async () => {
    const before = await started();
    for (const each of [FULL, ...HOSTILE.map((over) => registration(over))]) {
      await before.registrar.register(each, { actor });
    }
    await before.registrar.update(FULL, { kind: 'maintenance', maintenance: { reason: 'upgrade' } }, { actor });
    await before.registrar.update(FULL, { kind: 'patch', tags: ['patched'], weight: 7 }, { actor });
    const { instances, ...rest } = await before.list();
    await before.stop();
    const after = await (await started()).list();
    expect({ ...after, instances: undefined }).toEqual({ ...rest, instances: undefined });
    expect(new Map(after.instances.map((each) => [keyText(each), each]))).toEqual(
      new Map(instances.map((each) => [keyText(each), each])),
    );
  });

  it('brings back nothing that was removed, and counts on from the last version', async () => {
    const before = await started();
    await before.registrar.register(registration(), { actor });
    const removal = await before.registrar.deregister(KEY, { actor, cause: 'deregistered' });
    await before.stop();
    const after = await started();
    expect((await after.list()).instances).toEqual([]);
    const { instance } = await after.registrar.register(registration(), { actor });
    expect(compareVersions(instance.version, removal.version)).toBeGreaterThan(0);
  });

  it('keeps what is left of a lease', async () => {
    let now = 1_000_000;
    const before = await started({ now: () => now });
    await before.registrar.register(registration({ ttl: 60_000 }), { actor });
    await before.stop();
    now += 59_700;
    const after = await started({ now: () => now });
    expect(await find(after)).toMatchObject({ vitals: { lastHeartbeat: 1_000_000 } });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await find(after)).toBeUndefined();
  });

  it('leaves a lease that ran out meanwhile the grace, and lets it be renewed', async () => {
    let now = 1_000_000;
    const before = await started({ now: () => now });
    await before.registrar.register(registration(), { actor });
    await before.registrar.register(registration({ serviceId: 'silent' }), { actor });
    await before.stop();
    now += 3_600_000;
    const after = await started({ now: () => now, graceMs: 1_000 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await after.list()).instances).toHaveLength(2);
    await after.registrar.renew(KEY, {}, { actor });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect((await after.list()).instances.map(keyText)).toEqual([keyText(KEY)]);
    await after.stop();
    expect((await (await started({ now: () => now })).list()).instances.map(keyText)).toEqual([keyText(KEY)]);
  });

  it('remembers a heartbeat of the last third of the lease', async () => {
    let now = 1_000_000;
    const before = await started({ now: () => now });
    await before.registrar.register(registration({ ttl: 60_000 }), { actor });
    for (let i = 0; i < 10; i++) {
      now += 15_000;
      await before.registrar.renew(KEY, {}, { actor });
    }
    await before.stop();
    const kept = (await find(await started({ now: () => now })))?.vitals.lastHeartbeat;
    expect(now - kept!).toBeLessThanOrEqual(20_000);
  });

  it('keeps the fields of a newer release through a change by this one', async () => {
    const first = await started();
    const { instance } = await first.registrar.register(registration(), { actor });
    await first.stop();
    const { version, vitals, ...record } = instance;
    const newer = { ...encodeRecord(record), version, lastHeartbeat: vitals.lastHeartbeat, futureField: { deep: [1] } };
    await writeRaw({ [keyText(KEY)]: JSON.stringify(newer) });
    const second = await started();
    await second.registrar.update(KEY, { kind: 'patch', tags: ['changed'] }, { actor });
    await second.stop();
    expect(await find(await started())).toMatchObject({
      tags: ['changed'],
      unknownFields: { futureField: { deep: [1] } },
    });
  });

  it('finds the folder free when the server was stopped before it had started', async () => {
    const backend = durable(dataDir);
    const starting = backend.start();
    await backend.stop();
    await expect(starting).rejects.toThrow('closed while it opened');
    await started();
  });

  it('is the same after a power cut: the disk itself has confirmed each write', async () => {
    const backend = await started();
    const batch = jest.spyOn(ClassicLevel.prototype, 'batch');
    await backend.registrar.register(registration(), { actor });
    expect(batch.mock.calls).toEqual([[expect.anything(), { sync: true }]]);
  });

  it('needs nothing but DATA_DIR', async () => {
    const context = { logger: silentLogger, now: Date.now, graceMs: 0, dataDir };
    for (const count of [0, 1]) {
      const backend = await memory.create({}, context);
      open.push(backend);
      await backend.start();
      expect(backend.capabilities.durable).toBe(true);
      expect((await backend.list()).instances).toHaveLength(count);
      await backend.registrar.register(registration(), { actor });
      await backend.stop();
    }
  });
});

describe('a disk error', () => {
  it.each([
    ['before', () => jest.spyOn(ClassicLevel.prototype, 'batch')],
    ['after', () => jest.spyOn(Watermark.prototype, 'raise')],
  ])('%s the batch is written loses nothing', async (_, spyOn) => {
    const backend = await started();
    await backend.registrar.register(registration({ serviceId: 'earlier' }), { actor });
    spyOn().mockImplementationOnce(failing);
    await expect(backend.registrar.register(registration(), { actor })).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
    });
    await backend.registrar.register(registration({ serviceId: 'later' }), { actor });
    await backend.stop();
    const { instances, asOf } = await (await started()).list();
    expect(instances.map((each) => each.serviceId).sort()).toEqual(['api-1', 'earlier', 'later']);
    expect(asOf).toBe('3');
  });

  it('makes no new registry where the old one has gone', async () => {
    const backend = await started();
    await backend.registrar.register(registration(), { actor });
    jest.spyOn(ClassicLevel.prototype, 'batch').mockImplementationOnce(failing);
    await expect(backend.registrar.register(registration({ port: 1 }), { actor })).rejects.toThrow();
    await rm(dataDir, { recursive: true });
    await expect(backend.registrar.register(registration({ port: 2 }), { actor })).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      cause: { message: expect.stringContaining('was removed, moved or replaced') },
    });
    await backend.stop();
    expect(await readdir(join(folder, 'made'))).toEqual([]);
  });

  it('acknowledges nothing in a folder that was moved away, and goes on when it is back', async () => {
    const backend = await started();
    await backend.registrar.register(registration({ serviceId: 'earlier' }), { actor });
    await rename(dataDir, `${dataDir}.away`);
    await expect(backend.registrar.register(registration(), { actor })).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      cause: { message: expect.stringContaining('was removed, moved or replaced') },
    });
    await rename(`${dataDir}.away`, dataDir);
    await backend.registrar.register(registration({ serviceId: 'later' }), { actor });
    await backend.stop();
    const { instances } = await (await started()).list();
    expect(instances.map((each) => each.serviceId).sort()).toEqual(['api-1', 'earlier', 'later']);
  });

  it('writes nothing into another registry that has come in its place', async () => {
    const other = await started({}, `${dataDir}.other`);
    await other.stop();
    const backend = await started();
    await rename(dataDir, `${dataDir}.away`);
    await rename(`${dataDir}.other`, dataDir);
    for (const serviceId of ['first', 'second']) {
      const registering = backend.registrar.register(registration({ serviceId }), { actor });
      await expect(registering).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    }
    await backend.stop();
    expect((await (await started()).list()).instances).toEqual([]);
  });

  it('writes nothing into an old copy of its own', async () => {
    const backend = await started();
    await cp(dataDir, `${dataDir}.copy`, { recursive: true });
    await backend.registrar.register(registration({ serviceId: 'earlier' }), { actor });
    await rm(dataDir, { recursive: true });
    await rename(`${dataDir}.copy`, dataDir);
    for (const serviceId of ['first', 'second']) {
      const registering = backend.registrar.register(registration({ serviceId }), { actor });
      await expect(registering).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    }
    await backend.stop();
    expect((await (await started()).list()).instances).toEqual([]);
  });
});

describe('a start that is refused', () => {
  it('in a folder that another server uses, which goes on', async () => {
    const backend = await started();
    expect(await refusal()).toBe(
      `DATA_DIR=${dataDir} is in use by another process: stop that one, or give each server its own folder`,
    );
    await backend.registrar.register(registration(), { actor });
    await backend.stop();
    expect(await find(await started())).toBeDefined();
  });

  it('in a folder that holds other things, which it leaves as they are', async () => {
    await writeFile(join(folder, 'thesis.txt'), 'years of work');
    expect(await refusal(folder)).toMatch(/^DATA_DIR=.* holds other things \(thesis\.txt\): name an empty folder/);
    expect(await readdir(folder)).toEqual(['thesis.txt']);
  });

  it("in another program's database", async () => {
    const other = new ClassicLevel(folder);
    await other.put('key', 'value');
    await other.close();
    const before = await readdir(folder);
    expect(await refusal(folder)).toMatch(/holds other things/);
    expect(await readdir(folder)).toEqual(before);
  });

  it("in a folder that bears another program's mark", async () => {
    const marker = join(folder, 'service-discovery.json');
    await writeFile(marker, '{"service": "mine"}');
    expect(await refusal(folder)).toMatch(/holds data of another program/);
    expect(await readFile(marker, 'utf8')).toBe('{"service": "mine"}');
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('on data of a newer release: folder, database or record', async () => {
    const newer = `DATA_DIR=${dataDir} was written by a newer release: start that one, or name another folder`;
    await (await started()).stop();
    await cp(dataDir, `${dataDir}.2`, { recursive: true });
    await writeFile(join(`${dataDir}.2`, 'service-discovery.json'), '{"format":"service-discovery","v":2}');
    expect(await refusal(`${dataDir}.2`)).toBe(newer.replace(dataDir, `${dataDir}.2`));

    await writeRaw({ [keyText(KEY)]: '{"v":2,"version":"1","lastHeartbeat":1,"shape":"new"}' });
    expect(await refusal()).toBe(newer);

    const level = new ClassicLevel(join(dataDir, 'registry'));
    await level.put('meta', '{"format":"service-discovery","v":2}');
    await level.close();
    expect(await refusal()).toBe(newer);
  });

  it('on a file, below one, or behind a link that leads nowhere', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const none = /is not a folder, or lies below something that is none: name a folder$/;
    expect(await refusal(file)).toMatch(none);
    expect(await refusal(join(file, 'below'))).toMatch(none);
    const link = join(folder, 'link');
    await symlink(join(folder, 'nowhere'), link);
    expect(await refusal(link)).toBe(
      `DATA_DIR=${link} leads to a folder that is not there and cannot be made: make it, or name another folder`,
    );
    expect(await refusal(join(link, 'below'))).toMatch(/leads to a folder that is not there and cannot be made/);
  });

  // Root may write everywhere: no folder refuses it.
  const unlessRoot = process.getuid?.() === 0 ? it.skip : it;
  unlessRoot('where this user may not write', async () => {
    const denied = /may not be written by this user: give it to the user that runs the server/;
    await mkdir(dataDir, { recursive: true });
    await chmod(dataDir, 0o500);
    expect(await refusal()).toMatch(denied);
    expect(await refusal(join(dataDir, 'below'))).toMatch(denied);
    await chmod(dataDir, 0o700);
    await (await started()).stop();
    await chmod(join(dataDir, 'registry'), 0o500);
    expect(await refusal()).toMatch(/cannot be opened .*: check that this user may write it/);
    await chmod(join(dataDir, 'registry'), 0o700);
  });

  it('on a record that is none of ours', async () => {
    await (await started()).stop();
    await writeRaw({ [keyText(KEY)]: '{"v":1}' });
    expect(await refusal()).toMatch(
      /is corrupt \(one of the instances is not readable\): restore the folder from a backup/,
    );
  });
});

describe('a first start', () => {
  it('takes a volume as the file system makes it', async () => {
    await mkdir(join(folder, 'lost+found'));
    await started({}, folder);
  });

  // In the order in which they come into being; LevelDB writes CURRENT whole, under another name at first.
  const FILES = ['service-discovery.json', 'acknowledged', 'registry/MANIFEST-000002', 'registry/CURRENT'];

  it.each(FILES.flatMap((file, at) => [`before ${file} is made`, ...(at < 3 ? [`while ${file} is written`] : [])]))(
    'that is cut short %s is begun again',
    async (moment) => {
      await (await started()).stop();
      const at = FILES.findIndex((file) => moment.includes(file));
      for (const file of FILES.slice(at)) await rm(join(dataDir, file));
      // Comes last.
      for (const each of ['configuration', 'configuration-acknowledged'])
        await rm(join(dataDir, each), { recursive: true });
      if (at < 2) await rm(join(dataDir, 'registry'), { recursive: true });
      else await truncate(join(dataDir, 'acknowledged'));
      if (moment.startsWith('while')) await writeFile(join(dataDir, FILES[at]!), '');
      const backend = await started();
      await backend.registrar.register(registration(), { actor });
      await backend.stop();
      expect(await find(await started())).toBeDefined();
    },
  );
});
