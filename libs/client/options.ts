import type { Clock } from './clock.js';

export interface ClientOptions {
  /** Base URLs, `http://localhost:8090` say. Any of them will do: when one does not answer, the next is asked. */
  readonly servers: readonly string[];
  /** What goes with each request, asked for each time: `() => ({ authorization: 'Bearer …' })`. */
  readonly headers?: () => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;
  /** Of picks that name none; `round_robin` by default. */
  readonly strategy?: string;
  /** Where this process is, for `geographic`. */
  readonly region?: string;
  readonly zone?: string;
  /** In Node: what was last known is kept there, and taken from there when no server answers at the start. */
  readonly snapshotFile?: string;
  /** For a server to answer one request, milliseconds. */
  readonly timeoutMs?: number;
  /** A stream on which nothing has come for this long, milliseconds, is dead. Above the servers' `STREAM_HEARTBEAT`. */
  readonly silenceMs?: number;
  /** Another one lets tests pass time: `TestClock` of `@service-discovery/client/testing`. */
  readonly clock?: Clock;
  /** Where what goes wrong in the background is told. */
  readonly onError?: (error: Error) => void;
}
