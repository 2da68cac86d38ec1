import { readFile } from 'node:fs/promises';
import type { Logger } from '#core';

/** How soon what is in files counts. */
const LOOK_EVERY_MS = 1_000;

export interface WatchedFilesOptions<T> {
  readonly paths: readonly string[];
  /** @throws Error that says what is wrong with the contents. */
  readonly parse: (contents: readonly string[]) => T;
  /** Called with what replaces what was there. */
  readonly changed: (value: T) => void;
  readonly logger: Logger;
}

/**
 * Files that may change while the server runs, read again and again: by their content, as a volume of Kubernetes
 * changes by a link, and times say little. What is not good is told, and what was there before stays in force.
 * Its owner stops it.
 */
export class WatchedFiles<T> {
  private contents: readonly string[] = [];
  private complaint: string | undefined;
  private looking = false;
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly options: WatchedFilesOptions<T>,
    /** What was read last, and was good. */
    public value: T,
    contents: readonly string[],
  ) {
    this.contents = contents;
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  /** @throws Error that names the files. */
  static async open<T>(options: WatchedFilesOptions<T>): Promise<WatchedFiles<T>> {
    try {
      const contents = await read(options.paths);
      return new WatchedFiles(options, options.parse(contents), contents);
    } catch (cause) {
      throw new Error(`${options.paths.join(', ')}: ${(cause as Error).message}`, { cause });
    }
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Never rejects. */
  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      const contents = await read(this.options.paths);
      if (contents.some((content, i) => content !== this.contents[i])) this.take(contents);
      this.complaint = undefined;
    } catch (error) {
      this.complain((error as Error).message);
    } finally {
      this.looking = false;
    }
  }

  private take(contents: readonly string[]): void {
    this.value = this.options.parse(contents);
    this.contents = contents;
    const { paths, logger, changed } = this.options;
    logger.info({ files: paths }, 'files have changed, and what they say counts from now on');
    changed(this.value);
  }

  /** Once for each thing that is wrong. */
  private complain(reason: string): void {
    if (reason === this.complaint) return;
    this.complaint = reason;
    const { paths, logger } = this.options;
    logger.error({ files: paths, reason }, 'files have changed and are not good: what they said before stays in force');
  }
}

function read(paths: readonly string[]): Promise<string[]> {
  return Promise.all(paths.map((path) => readFile(path, 'utf8')));
}

/** @throws Error that repeats nothing of the text: keys may be there by mistake. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('is not JSON');
  }
}
