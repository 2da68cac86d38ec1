import { mkdir, open, readFile, rename, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeRecord, encodeRecord, recordOf, type Logger, type ServiceInstance, type Vitals } from '#core';

const FORMAT = 'service-discovery last known good';
const VERSION = 1;
const FILE = 'last-known-good.ndjson';
/** Lines that are made in one go, so that requests are answered in between. */
const BATCH = 250;

export interface LastKnownGood {
  readonly instances: readonly ServiceInstance[];
  /** When it was in step with the registry, milliseconds since the epoch. */
  readonly at: number;
}

/**
 * What was last known of the registry, in a file: for a server that starts while the registry is away.
 * A line says what it is and of which registry, then one an instance, and one that says how many they
 * are; the file's time of change says until when it was true. It is no truth of its own, so it is never
 * an error: what cannot be read is logged and left.
 */
export class LastKnownFile {
  private readonly path: string;

  /** @param registry Tells this registry from others; what was known of another one is not given out. */
  constructor(
    private readonly folder: string,
    private readonly registry: string,
    private readonly logger: Logger,
  ) {
    this.path = join(folder, FILE);
  }

  /** Undefined when there is none of this registry that can be read. */
  async load(): Promise<LastKnownGood | undefined> {
    try {
      const [text, { mtimeMs }] = await Promise.all([readFile(this.path, 'utf8'), stat(this.path)]);
      const [head, ...lines] = text.trimEnd().split('\n');
      const { format, v, registry } = JSON.parse(head!) as Record<string, unknown>;
      if (format !== FORMAT || v !== VERSION) throw new Error('its format is another one');
      if (registry !== this.registry) throw new Error('it is of another registry');
      const { count } = JSON.parse(lines.pop() ?? '{}') as { count?: unknown };
      if (count !== lines.length) throw new Error('it is incomplete');
      return { instances: lines.map(decode), at: mtimeMs };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        this.logger.warn({ err: error, file: this.path }, 'what was last known of the registry cannot be used');
      }
      return undefined;
    }
  }

  /** Replaces the file, in one step. Whether that succeeded; a failure is logged. */
  save(instances: readonly ServiceInstance[]): Promise<boolean> {
    return this.attempt(async () => {
      await mkdir(this.folder, { recursive: true });
      const unfinished = `${this.path}.unfinished`;
      const file = await open(unfinished, 'w', 0o600);
      try {
        await file.write(`${JSON.stringify({ format: FORMAT, v: VERSION, registry: this.registry })}\n`);
        for (let from = 0; from < instances.length; from += BATCH) {
          await file.write(
            instances
              .slice(from, from + BATCH)
              .map((instance) => `${encode(instance)}\n`)
              .join(''),
          );
        }
        await file.write(`${JSON.stringify({ count: instances.length })}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(unfinished, this.path);
    });
  }

  /** It is still true at this time, milliseconds since the epoch. */
  confirm(at: number): Promise<boolean> {
    return this.attempt(() => utimes(this.path, at / 1_000, at / 1_000));
  }

  private async attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.logger.warn({ err: error, file: this.path }, 'what is known of the registry could not be kept');
      return false;
    }
  }
}

function encode(instance: ServiceInstance): string {
  const { version, vitals } = instance;
  return JSON.stringify({ version, vitals, record: encodeRecord(recordOf(instance)) });
}

function decode(line: string): ServiceInstance {
  const { version, vitals, record } = JSON.parse(line) as { version: string; vitals: Vitals; record: unknown };
  return { ...decodeRecord(record), version, vitals };
}
