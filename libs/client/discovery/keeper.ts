import type { SnapshotFile } from './snapshot-file.js';
import type { LocalView } from './view.js';

const WRITE_EVERY_MS = 5_000;

/** Keeps in a file what the view is, as long as somebody tells it; and what it was, for one who is told nothing. */
export class SnapshotKeeper {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly unsubscribe: () => void;

  constructor(
    private readonly view: LocalView,
    private readonly file: SnapshotFile,
    private readonly onError: (error: Error) => void,
  ) {
    this.unsubscribe = view.subscribe(() => this.writeSoon());
  }

  /** Where nothing is known yet. */
  async restore(): Promise<void> {
    if (this.view.source !== undefined) return;
    const instances = await this.file.read().catch(this.onError);
    // A server may have spoken meanwhile. Reading is asynchronous, so that is asked again.
    if (!instances || (this.view.source as string | undefined) !== undefined) return;
    this.view.replace(instances);
    this.view.tell('snapshot');
  }

  async close(): Promise<void> {
    this.unsubscribe();
    clearTimeout(this.timer);
    if (this.timer) await this.write();
  }

  private writeSoon(): void {
    if (this.timer || this.view.source !== 'live') return;
    this.timer = setTimeout(() => void this.write(), WRITE_EVERY_MS);
    this.timer.unref();
  }

  private async write(): Promise<void> {
    this.timer = undefined;
    await this.file.write(this.view.all()).catch(this.onError);
  }
}
