import { styleText } from 'node:util';
import type { Paint } from './table.js';

const STYLES = { header: 'bold', good: 'green', doubtful: 'yellow', bad: 'red', aside: 'dim' } as const;

/** What is written to: a terminal, a pipe or a file. */
export interface Surface {
  /** In columns; without an end in a pipe. */
  readonly width: number;
  readonly paint: Paint;
}

/** `COLUMNS`, `FORCE_COLOR` and `NO_COLOR` go before what the stream is. */
export function surfaceOf(stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): Surface {
  const columns = Number(environment.COLUMNS);
  const width = columns > 0 ? columns : stream.isTTY ? stream.columns : Infinity;
  return { width, paint: isColoured(stream, environment) ? coloured : (text) => text };
}

/** https://no-color.org, https://force-color.org */
function isColoured(stream: NodeJS.WriteStream, { NO_COLOR, FORCE_COLOR, TERM }: NodeJS.ProcessEnv): boolean {
  if (NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== '0';
  return stream.isTTY && TERM !== 'dumb';
}

const coloured: Paint = (text, style) => styleText(STYLES[style], text, { validateStream: false });
