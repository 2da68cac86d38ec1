import { asBackendError, Backoff, pause } from '#core';
import { WAIT_MS, type ReadOptions } from './client.js';
import type { Tables } from './foreign.js';
import type { Parts } from './parts.js';
import type { Position, Reader } from './reader.js';
import type { Answer, CheckEntry } from './types.js';
import { Rewound } from './view.js';

/** Reading takes at most a fifth of the time, however much there is to read. */
const REST = 4;
const LEAST_REST_MS = 10;
const MOST_REST_MS = 2_000;
/** What answers each change with all there is is asked less often; that a service has changed makes us read all. */
const CHECKS_REST_MS = 250;
const SERVICES_REST_MS = 500;
const HEARTBEATS_REST_MS = 500;
/** Until a change of ours, which shows in our folder and in the catalog at once, has been read from both. */
const SETTLED_MS = 250;
/** Who has been in step for so long does not hesitate to get in step again. */
const CALM_MS = 5_000;

/** Keeps what this process knows in step with Consul, by blocking queries, and tells when it cannot. */
export class Follower {
  /** Absent while out of step. */
  private position: Position | undefined;
  /** Whose folder it is, and how often its indexes have begun anew. */
  private folder: string | undefined;
  private rewinds = 0;
  /** Consul's tables stood there. Their indexes never fall, unless Consul's state was lost or put back. */
  private tables: Tables = { services: 0, checks: 0 };

  constructor(
    private readonly parts: Parts,
    private readonly reader: Reader,
  ) {}

  /** In step, as far as anybody has noticed. */
  get live(): boolean {
    return this.position !== undefined;
  }

  /** Versions compare while it is the same. */
  get incarnation(): string {
    return `${this.folder}.${this.rewinds}`;
  }

  /** Gets in step, once. */
  async enter(signal: AbortSignal): Promise<void> {
    const { watches } = this.parts;
    try {
      const folder = await this.reader.prepare(signal);
      if (this.folder !== undefined && folder !== this.folder) this.rewind();
      this.folder = folder;
      const position = await this.reader.read(signal);
      this.see(position.services, position.checks.index);
      this.position = position;
      watches.resync();
    } catch (error) {
      this.leave(error);
      throw error;
    }
  }

  /** Stays in step until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(100, 2_000);
    for (;;) {
      if (this.position) {
        const begun = performance.now();
        await this.follow(this.position, signal).catch((error: unknown) => this.leave(error));
        if (performance.now() - begun > CALM_MS) backoff.reset();
      }
      await backoff.pause(signal);
      if (signal.aborted) return;
      await this.enter(signal).catch(() => undefined);
    }
  }

  private leave(error: unknown): void {
    this.position = undefined;
    if (error instanceof Rewound) this.rewind();
    else this.parts.watches.tell({ kind: 'stale', error: asBackendError(error) });
  }

  private rewind(): void {
    const { client, view, foreign } = this.parts;
    view.forget();
    foreign.forget();
    client.forgetIndexes();
    this.tables = { services: 0, checks: 0 };
    this.rewinds++;
  }

  /** @throws Rewound */
  private see(services = this.tables.services, checks = this.tables.checks): void {
    if (services < this.tables.services || checks < this.tables.checks) throw new Rewound();
    this.tables = { services, checks };
  }

  /** Rejects as soon as one feed does, when all have ended. */
  private async follow(from: Position, signal: AbortSignal): Promise<void> {
    const aborter = new AbortController();
    const ending = AbortSignal.any([signal, aborter.signal]);
    const feeds = [
      this.followInstances(from, ending),
      this.followHeartbeats(from, ending),
      this.followServices(from, ending),
      this.followChecks(from, ending),
    ];
    try {
      await Promise.all(feeds);
    } finally {
      aborter.abort();
      await Promise.allSettled(feeds);
    }
  }

  private followInstances(from: Position, signal: AbortSignal): Promise<void> {
    const { client, layout } = this.parts;
    let marks = from.changes;
    return feed({
      from: from.instances,
      poll: (options) => client.folders(layout.instances, options),
      take: async ({ index }, before) => {
        marks = await this.reader.readChanges(marks, index < before ? Infinity : index, signal);
      },
      signal,
    });
  }

  private followHeartbeats(from: Position, signal: AbortSignal): Promise<void> {
    const { client, layout, view } = this.parts;
    return feed({
      from: from.heartbeats,
      poll: (options) => client.entries(layout.heartbeats, options),
      take: ({ body }) => view.beats(body),
      leastRestMs: HEARTBEATS_REST_MS,
      signal,
    });
  }

  /** Tells that some service has changed, and hardly ever which. */
  private followServices(from: Position, signal: AbortSignal): Promise<void> {
    const { client, layout, view, foreign } = this.parts;
    return feed({
      from: from.services,
      poll: (options) => client.services(layout.foreign, options),
      take: async ({ body, index }) => {
        this.see(index);
        const explained = await foreign.readAll(Object.keys(body), index, signal);
        if (explained) return;
        await pause(SETTLED_MS, signal);
        if (view.latest < index) await this.reader.verify(signal);
      },
      leastRestMs: SERVICES_REST_MS,
      signal,
    });
  }

  private followChecks(from: Position, signal: AbortSignal): Promise<void> {
    const { client, layout, foreign } = this.parts;
    let known = byId(from.checks.body);
    return feed({
      from: from.checks.index,
      poll: (options) => client.checks(layout.foreign, options),
      take: async ({ body, index }) => {
        this.see(undefined, index);
        const found = byId(body);
        const changed = [...differences(known, found)];
        known = found;
        const services = changed.flatMap(({ Node, ServiceName }) =>
          ServiceName === '' ? foreign.servicesOn(Node) : [ServiceName],
        );
        await foreign.read(new Set(services), signal);
      },
      leastRestMs: CHECKS_REST_MS,
      signal,
    });
  }
}

interface Feed<T> {
  /** The index that everything is known of. */
  readonly from: number;
  readonly poll: (options: ReadOptions) => Promise<Answer<T>>;
  readonly take: (answer: Answer<T>, before: number) => Promise<void> | void;
  readonly leastRestMs?: number;
  readonly signal: AbortSignal;
}

/** Takes what is new, again and again, until the signal aborts. */
async function feed<T>({ from, poll, take, leastRestMs = LEAST_REST_MS, signal }: Feed<T>): Promise<void> {
  let index = from;
  let doubtful = false;
  while (!signal.aborted) {
    const asked = performance.now();
    // With an index that Consul's state has fallen behind, a query would wait in vain.
    const answer = await poll(doubtful ? { signal } : { index, signal });
    const begun = performance.now();
    // Consul ends what waits when its state is replaced.
    doubtful = !doubtful && answer.index === index && begun - asked < WAIT_MS;
    if (answer.index !== index) await take(answer, index);
    index = answer.index;
    const rest = (performance.now() - begun) * REST;
    await pause(Math.min(Math.max(rest, leastRestMs), MOST_REST_MS), signal);
  }
}

type Checks = ReadonlyMap<string, CheckEntry>;

function byId(checks: readonly CheckEntry[]): Checks {
  return new Map(checks.map((check) => [`${check.Node}/${check.CheckID}`, check]));
}

/** The checks that have come, changed or gone. */
function* differences(before: Checks, after: Checks): Iterable<CheckEntry> {
  for (const [id, check] of after) if (before.get(id)?.ModifyIndex !== check.ModifyIndex) yield check;
  for (const [id, check] of before) if (!after.has(id)) yield check;
}
