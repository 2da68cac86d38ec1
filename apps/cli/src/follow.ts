import { constants } from 'node:os';
import { Follower, type WatchEvent } from '#client';
import { toText, type Query } from './api/api.js';
import type { Context } from './context.js';
import { sparing } from './sparing.js';

const ENDS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Scope {
  readonly service?: string;
  readonly filter: Query;
}

/** Tells what happens, until the process is told to end. It ends then with what a shell says of that. */
export async function follow(
  { transport, print }: Context,
  { service, filter }: Scope,
  hear: (event: WatchEvent) => void,
): Promise<void> {
  const lost = sparing((text) => print.say(`sdctl: ${text}`));
  const options = { service: service?.toLowerCase(), filter: toText(filter) };
  const ended = new AbortController();
  const end = (signal: (typeof ENDS)[number]) => {
    process.exitCode = 128 + constants.signals[signal];
    ended.abort();
  };
  for (const signal of ENDS) process.once(signal, end);
  await new Follower(transport, { hear, lost }, options).run(ended.signal);
  for (const signal of ENDS) process.off(signal, end);
}
