import { constants, type Stats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';

const DIGITS = 16;
const FORM = /^\d{16}\n$/;

/**
 * The highest version that was ever acknowledged, in a file of its own. LevelDB takes damage near the
 * end of its log for a write that was never finished and starts from the state before: whole, but old.
 * Only something outside the log can tell.
 *
 * It is written after the batch that it speaks of is on disk, and not synced: a kill of the process
 * takes nothing from it, and after a power cut it may lag behind but never lead.
 */
export class Watermark {
  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
    private readonly opened: Stats,
    private version: number | undefined,
  ) {}

  /** @throws Error when the file is damaged, or absent and not to be made. */
  static async open(path: string, create: boolean): Promise<Watermark> {
    const file = await open(path, create ? constants.O_RDWR | constants.O_CREAT : constants.O_RDWR);
    try {
      const text = await file.readFile('latin1');
      if (text !== '' && !FORM.test(text)) throw new Error(`the file "${basename(path)}" is not readable`);
      return new Watermark(path, file, await file.stat(), text === '' ? undefined : Number(text));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Undefined: nothing was acknowledged yet, or somebody has removed the file to go on without it. */
  get value(): number | undefined {
    return this.version;
  }

  async raise(version: number): Promise<void> {
    if (version === this.version) return;
    const first = this.version === undefined;
    // In place and within one sector: it is there whole or not at all.
    await this.file.write(`${String(version).padStart(DIGITS, '0')}\n`, 0);
    if (first) await this.file.sync();
    this.version = version;
  }

  /** Whether its path still leads to it: what is written into a folder that was removed or moved is found by no start. */
  async isInPlace(): Promise<boolean> {
    const found = await stat(this.path).catch(() => undefined);
    return found?.ino === this.opened.ino && found.dev === this.opened.dev;
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}
