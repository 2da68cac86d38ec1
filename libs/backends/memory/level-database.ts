import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { ClassicLevel, type BatchOperation } from 'classic-level';
import { z } from 'zod';
import { checkFormat, corrupt, FORMAT, refusal, replaced } from './data-folder.js';
import { damagedTable } from './tables.js';
import { Tally } from './tally.js';
import { Watermark } from './watermark.js';

const META = 'meta';

/** One of the databases in the folder. */
export interface Part {
  readonly folder: string;
  /** The file that says how far it was acknowledged. */
  readonly watermark: string;
  /** What the keys of its entries begin with. */
  readonly prefix: string;
  /** What they are, for people. */
  readonly things: string;
}

export const REGISTRY: Part = {
  folder: 'registry',
  watermark: 'acknowledged',
  prefix: 'instance/',
  things: 'instances',
};
export const CONFIGURATION: Part = {
  folder: 'configuration',
  watermark: 'configuration-acknowledged',
  prefix: 'version/',
  things: 'versions',
};

/** Says of the whole what LevelDB cannot: how much there is, and that it is that. Goes with every batch. */
const metaForm = z.looseObject({
  incarnation: z.string(),
  lastVersion: z.int().min(0),
  count: z.int().min(0),
  checksum: z.int().min(0),
});
type Meta = z.output<typeof metaForm>;
type Operation = BatchOperation<ClassicLevel, string, string>;

/**
 * LevelDB with what it lacks. It skips damaged records of its log and reads tables without a look at
 * their checksums, so opening looks at these first, then compares everything there is with `meta`, and
 * `meta` with the watermark.
 */
export class LevelDatabase {
  private readonly tally = new Tally();
  private meta: Meta = { ...FORMAT, incarnation: randomUUID(), lastVersion: 0, count: 0, checksum: 0 };

  private constructor(
    private readonly dataDir: string,
    private readonly part: Part,
    private readonly level: ClassicLevel,
    private readonly watermark: Watermark,
  ) {}

  /**
   * Opens and verifies the database of a folder that is ours. With `create` it makes one where nothing
   * was ever acknowledged.
   *
   * @throws Error that names the folder and says what to do: in use, newer, corrupt, or not to be opened.
   */
  static async open(
    dataDir: string,
    part: Part,
    create: boolean,
  ): Promise<{ database: LevelDatabase; values: ReadonlyMap<string, string> }> {
    const folder = join(dataDir, part.folder);
    const damaged = await attempt(dataDir, () => damagedTable(folder));
    if (damaged !== undefined) throw corrupt(dataDir, `${damaged} is damaged`);
    const watermark = await attempt(dataDir, () => Watermark.open(join(dataDir, part.watermark), create));
    const createIfMissing = create && watermark.value === undefined;
    const level = new ClassicLevel(folder, { createIfMissing, compression: false });
    const database = new LevelDatabase(dataDir, part, level, watermark);
    try {
      return { database, values: await database.load(createIfMissing) };
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  get incarnation(): string {
    return this.meta.incarnation;
  }

  get lastVersion(): number {
    return this.meta.lastVersion;
  }

  /** After an error it is unknown what is on disk, and LevelDB may lose what it is given later: close, and open anew. */
  async write(changes: ReadonlyMap<string, string | undefined>, lastVersion: number): Promise<void> {
    const operations: Operation[] = [];
    for (const [name, value] of changes) {
      const key = this.part.prefix + name;
      this.tally.set(key, value);
      operations.push(value === undefined ? { type: 'del', key } : { type: 'put', key, value });
    }
    const { count } = this.tally;
    this.meta = {
      ...this.meta,
      lastVersion,
      count,
      checksum: checksum(this.tally, this.meta.incarnation, lastVersion),
    };
    operations.push({ type: 'put', key: META, value: JSON.stringify(this.meta) });
    await this.level.batch(operations, { sync: true });
    await this.watermark.raise(lastVersion);
    if (!(await this.watermark.isInPlace())) throw replaced(this.dataDir);
  }

  async close(): Promise<void> {
    try {
      await this.level.close();
    } finally {
      await this.watermark.close();
    }
  }

  private async load(create: boolean): Promise<ReadonlyMap<string, string>> {
    const entries = await attempt(this.dataDir, () => this.read());
    const meta = entries.get(META);
    if (meta !== undefined) this.meta = this.readMeta(meta);
    else if (create && entries.size === 0) await attempt(this.dataDir, () => this.write(new Map(), 0));
    else throw corrupt(this.dataDir, 'its index is missing');
    return this.verified(entries);
  }

  private async read(): Promise<Map<string, string>> {
    await this.level.open();
    return new Map(await this.level.iterator().all());
  }

  private readMeta(text: string): Meta {
    try {
      const data: unknown = JSON.parse(text);
      checkFormat(this.dataDir, data);
      return metaForm.parse(data);
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof z.ZodError) {
        throw corrupt(this.dataDir, 'its index is not readable', error);
      }
      throw error;
    }
  }

  private verified(entries: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    const { prefix, things } = this.part;
    const values = new Map<string, string>();
    for (const [key, value] of entries) {
      if (!key.startsWith(prefix)) continue;
      this.tally.set(key, value);
      values.set(key.slice(prefix.length), value);
    }
    const { incarnation, lastVersion, count } = this.meta;
    if (this.tally.count !== count) {
      throw corrupt(this.dataDir, `it should hold ${count} ${things} and holds ${this.tally.count}`);
    }
    if (this.meta.checksum !== checksum(this.tally, incarnation, lastVersion)) {
      throw corrupt(this.dataDir, 'its checksum is wrong');
    }
    const acknowledged = this.watermark.value ?? 0;
    if (lastVersion < acknowledged) throw this.behind(acknowledged);
    return values;
  }

  private behind(acknowledged: number): Error {
    const missing = `changes up to ${acknowledged} were acknowledged, only those up to ${this.lastVersion} are there`;
    const advice = `restore the folder from a backup, or delete the file "${this.part.watermark}" in it to go on without them`;
    return refusal(this.dataDir, `is corrupt (${missing}): ${advice}`);
  }
}

function checksum(tally: Tally, incarnation: string, lastVersion: number): number {
  return crc32(`${incarnation} ${lastVersion}`, tally.checksum);
}

async function attempt<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw readable(dataDir, error);
  }
}

function readable(dataDir: string, error: unknown): Error {
  const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  if (code === 'LEVEL_LOCKED') {
    return refusal(dataDir, 'is in use by another process: stop that one, or give each server its own folder', error);
  }
  // A start has just made what it lacked.
  if (code === 'ENOENT') return replaced(dataDir, error);
  if (code === 'LEVEL_CORRUPTION' || /not readable|does not exist|no such file/i.test(message)) {
    return corrupt(dataDir, message, error);
  }
  const advice = 'check that this user may write it and that the disk works and has room';
  return refusal(dataDir, `cannot be opened (${message}): ${advice}`, error);
}
