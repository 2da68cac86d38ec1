import { writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';

const FULL_PIPE_PAUSE_MS = 10;
const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * Where lines go that are out when the turn of the event loop is, or the process: by an exception too. They go
 * together, as a write of its own would be among the dearest parts of a registration. A full disk takes lines,
 * and nothing else: they are counted, and the count is written when there is room again.
 */
export class StandardOutput implements DestinationStream {
  private lines: string[] = [];
  private lost = 0;

  constructor(private readonly writeOut: (text: string) => void = writeWhole) {}

  write(line: string): void {
    if (this.lines.push(line) > 1) return;
    setImmediate(this.flush);
    process.once('exit', this.flush);
  }

  private readonly flush = (): void => {
    process.off('exit', this.flush);
    const { lines, lost } = this;
    if (lines.length === 0) return;
    this.lines = [];
    const loss = JSON.stringify({ level: 'warn', msg: 'lines of this log were lost', lost });
    try {
      this.writeOut(lost === 0 ? lines.join('') : `${loss}\n${lines.join('')}`);
      this.lost = 0;
    } catch {
      this.lost += lines.length;
    }
  };
}

/** Whoever reads a pipe may be slow, and may have made it one that does not wait. */
function writeWhole(text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, FULL_PIPE_PAUSE_MS);
    }
  }
}
