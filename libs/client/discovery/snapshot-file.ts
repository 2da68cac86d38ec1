import type { Instance } from '../instance.js';

const FORMAT = 1;

/** Not imported: no browser has it, and what bundles for one would look for it. */
const files = () => process.getBuiltinModule('node:fs/promises');

interface Snapshot {
  readonly v: typeof FORMAT;
  readonly instances: readonly Instance[];
}

/** What was known, in a file of this process's own: nobody else may write there. Only in Node. */
export class SnapshotFile {
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly path: string) {}

  /** Undefined when there is none. @throws when there is one that cannot be read. */
  async read(): Promise<readonly Instance[] | undefined> {
    const { readFile } = files();
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT') return undefined;
      throw error;
    }
    const { v, instances } = JSON.parse(text) as Snapshot;
    // Of another release's form nothing is guessed.
    return (v as number) === FORMAT ? instances : undefined;
  }

  /** The whole file or nothing of it takes the place of the one before. */
  write(instances: readonly Instance[]): Promise<void> {
    const written = this.writing.then(() => this.replace({ v: FORMAT, instances }));
    this.writing = written.catch(() => undefined);
    return written;
  }

  private async replace(snapshot: Snapshot): Promise<void> {
    const { rename, writeFile } = files();
    const unfinished = `${this.path}.${process.pid}`;
    await writeFile(unfinished, JSON.stringify(snapshot), { mode: 0o600 });
    await rename(unfinished, this.path);
  }
}
