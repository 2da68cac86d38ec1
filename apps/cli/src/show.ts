import type { Command } from 'commander';
import type { Answer } from './api/api.js';
import type { Context } from './context.js';
import { explained } from './errors.js';
import { follow, type Scope } from './follow.js';
import { staleness } from './output/freshness.js';
import type { View } from './output/printer.js';

export interface WatchOptions {
  readonly watch?: boolean;
}

export function withWatch(command: Command): Command {
  return command.option(
    '-w, --watch',
    'again at each change, in a terminal in place of what was there; Ctrl-C ends it',
  );
}

/**
 * Shows what there is; with `--watch` again whenever that changes, as it is at the server that has told of the change.
 *
 * @param scopeOf What is followed then, of what there was at first.
 */
export async function show<Data, Row>(
  context: Context,
  { watch }: WatchOptions,
  scopeOf: (data: Data) => Scope,
  read: () => Promise<Answer<Data>>,
  view: View<Data, Row>,
): Promise<void> {
  const { print } = context;
  const first = await read();
  if (!watch) {
    print.print(first.data, view, staleness(first.headers));
    return;
  }
  const draw = ({ data, headers }: Answer<Data>) => print.redraw(data, view, staleness(headers));
  const drawAgain = () => read().then(draw, (error: unknown) => print.say(`sdctl: ${explained(error).message}`));
  draw(first);
  await follow(context, scopeOf(first.data), inTurn(drawAgain));
}

/** One at a time: what comes while one is being done is for the next. */
function inTurn(work: () => Promise<void>): () => void {
  let wanted = false;
  let busy = false;
  const workOff = async () => {
    busy = true;
    while (wanted) {
      wanted = false;
      await work();
    }
    busy = false;
  };
  return () => {
    wanted = true;
    if (!busy) void workOff();
  };
}
