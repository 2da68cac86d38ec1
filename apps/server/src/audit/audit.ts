import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import type { Logger } from '#core';

/** Somebody who has changed something, or has tried to. */
export interface AuditEntry {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** `scheme:identity`, `anonymous`; `unknown`: whoever it was has not been let in. */
  readonly actor: string;
  readonly address: string;
  /** `PUT /api/v1/config/:service` */
  readonly operation: string;
  /** Of these, what the request says. */
  readonly service?: string;
  readonly instance?: string;
  readonly environment?: string;
  /** Of HTTP. */
  readonly status: number;
  /** By which the log tells more. */
  readonly requestId: string;
}

/** The latest, in memory. */
const KEPT = 1_000;
/** What a disk has not taken yet; what is more is lost, and told. */
const MAX_UNWRITTEN_BYTES = 4 * 1_024 * 1_024;

/** Who did what, from where and with what result: the latest in memory, all of it in a file that the operator names. */
export class Audit {
  /** In the order in which they came; the number is its place among all. */
  private readonly entries: (AuditEntry & { readonly number: number })[] = [];
  private number = 0;
  private losing = false;

  private constructor(
    private readonly file: WriteStream | undefined,
    private readonly logger: Logger,
  ) {
    file?.on('error', (error) => this.lose(error));
  }

  /** @throws Error that names the file and what is wrong with it. */
  static async open(path: string | undefined, logger: Logger): Promise<Audit> {
    if (path === undefined) return new Audit(undefined, logger);
    const file = createWriteStream(path, { flags: 'a', mode: 0o600 });
    await once(file, 'open').catch((cause: unknown) => {
      throw new Error(`AUDIT_FILE=${path}: ${(cause as Error).message}`, { cause });
    });
    return new Audit(file, logger);
  }

  get latestFirst(): readonly (AuditEntry & { readonly number: number })[] {
    return this.entries.toReversed();
  }

  record(entry: AuditEntry): void {
    if (this.entries.push({ ...entry, number: ++this.number }) > KEPT) this.entries.shift();
    if (!this.file) return;
    if (this.file.destroyed || this.file.writableLength > MAX_UNWRITTEN_BYTES) {
      this.lose(new Error('it takes no more'));
      return;
    }
    this.losing = false;
    const { at, requestId, ...said } = entry;
    this.file.write(`${JSON.stringify({ time: new Date(at).toISOString(), ...said, request_id: requestId })}\n`);
  }

  /** Resolves when all is written. */
  async stop(): Promise<void> {
    if (!this.file || this.file.destroyed) return;
    const closed = once(this.file, 'close');
    this.file.end();
    await closed;
  }

  /** Told once for each time that it begins. */
  private lose(error: Error): void {
    if (!this.losing) this.logger.error({ err: error }, 'the audit cannot be written: entries are lost');
    this.losing = true;
  }
}
