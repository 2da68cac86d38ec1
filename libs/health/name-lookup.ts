import { lookup as systemLookup, type LookupAddress, type LookupAllOptions } from 'node:dns';

export type Lookup = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface NameLookupOptions {
  /** Threads that lookups can have. */
  readonly threads?: number;
  /** What resolves names, on threads; the system's resolver by default. */
  readonly lookup?: Lookup;
  /** Milliseconds. */
  readonly monotonic?: () => number;
}

/** What is known is not asked again for so long; a name that took longer, for as long as it took. */
const FRESH_MS = 2_000;
/** A lookup that takes longer makes its name a slow one. */
const SLOW_MS = 1_000;
/** Who has waited so long is content with what was known before. */
const PATIENCE_MS = 250;
/** Names remembered; the one asked for longest ago is forgotten first. */
const MAX_NAMES = 10_000;

interface Name {
  readonly hostname: string;
  readonly family: LookupAllOptions['family'];
  known?: Answer;
  underway: boolean;
  waiting: Set<Waiter>;
}

interface Answer {
  readonly error: NodeJS.ErrnoException | null;
  readonly addresses: LookupAddress[];
  readonly quick: boolean;
  readonly freshUntil: number;
}

type Waiter = (answer: Pick<Answer, 'error' | 'addresses'>) => void;

/** Our own queue is long, which says nothing of the name or of who bears it. */
class LookupQueued extends Error {
  override readonly name = 'LookupQueued';
  readonly code = 'LOOKUP_QUEUED';
}

/**
 * The system's resolver for thousands of names of which some are dead. It knows the hosts file, search
 * domains and whatever else the host is set up for, but each lookup holds one of few threads, and
 * nothing can end one that hangs. So each name is looked up once for all who ask, what has just been
 * found is found again, and names that are slow, or not known yet, never hold more than half of the
 * threads: the quick ones stay quick.
 */
export class NameLookup {
  private readonly names = new Map<string, Name>();
  /** Those to be looked up, the first to come first: by what the lookup before has shown. */
  private readonly queues = { quick: new Set<Name>(), unknown: new Set<Name>(), slow: new Set<Name>() };
  private underway = 0;
  private doubtful = 0;
  private readonly threads: number;
  private readonly system: Lookup;
  private readonly monotonic: () => number;

  constructor({
    threads = threadsForLookups(),
    lookup = systemLookup,
    monotonic = () => performance.now(),
  }: NameLookupOptions = {}) {
    this.threads = threads;
    this.system = lookup;
    this.monotonic = monotonic;
  }

  /** As that of `node:dns`; always all addresses. */
  readonly lookup: Lookup = (hostname, { family }, callback) => {
    const name = this.nameOf(hostname, family);
    const answer: Waiter = ({ error, addresses }) => callback(error, addresses);
    if (name.known && this.monotonic() < name.known.freshUntil) {
      process.nextTick(answer, name.known);
      return;
    }
    this.wait(name, answer);
    if (name.underway) return;
    this.queueOf(name).add(name);
    this.begin();
  };

  private nameOf(hostname: string, family: Name['family']): Name {
    const key = `${hostname} ${family ?? 0}`;
    const name: Name = this.names.get(key) ?? { hostname, family, underway: false, waiting: new Set() };
    this.names.delete(key);
    this.names.set(key, name);
    if (this.names.size > MAX_NAMES) this.forget(this.names.entries().next().value!);
    return name;
  }

  private forget([key, name]: [string, Name]): void {
    this.names.delete(key);
    this.queueOf(name).delete(name);
  }

  private wait(name: Name, answer: Waiter): void {
    const timer = setTimeout(() => {
      // The first lookup of a name that hangs is the name's own trouble: its probes have their deadlines.
      if (!name.known && name.underway) return;
      name.waiting.delete(settle);
      answer(name.known ?? { error: new LookupQueued(`${name.hostname} waits to be looked up`), addresses: [] });
    }, PATIENCE_MS).unref();
    const settle: Waiter = (found) => {
      clearTimeout(timer);
      answer(found);
    };
    name.waiting.add(settle);
  }

  private queueOf({ known }: Name): Set<Name> {
    if (!known) return this.queues.unknown;
    return known.quick ? this.queues.quick : this.queues.slow;
  }

  private begin(): void {
    while (this.underway < this.threads) {
      const name = this.next();
      if (!name) return;
      this.queueOf(name).delete(name);
      this.lookUp(name);
    }
  }

  /** Quick ones first, then those that nobody knows yet; a slow one has its last answer meanwhile. */
  private next(): Name | undefined {
    const { quick, unknown, slow } = this.queues;
    const full = this.doubtful >= Math.max(1, Math.floor(this.threads / 2));
    return first(quick) ?? (full ? undefined : (first(unknown) ?? first(slow)));
  }

  private lookUp(name: Name): void {
    const began = this.monotonic();
    const doubt = name.known?.quick ? 0 : 1;
    name.underway = true;
    this.underway++;
    this.doubtful += doubt;
    this.system(name.hostname, { family: name.family, all: true }, (error, addresses) => {
      const now = this.monotonic();
      const tookMs = now - began;
      const known = { error, addresses, quick: tookMs < SLOW_MS, freshUntil: now + Math.max(FRESH_MS, tookMs) };
      const { waiting } = name;
      Object.assign(name, { known, underway: false, waiting: new Set() });
      this.underway--;
      this.doubtful -= doubt;
      this.begin();
      for (const settle of waiting) settle(known);
    });
  }
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  const [value] = set;
  return value;
}

/** Half of libuv's threads, as its design of slow I/O has it. They can only be set before the process starts. */
function threadsForLookups(): number {
  return Math.ceil((Number(process.env.UV_THREADPOOL_SIZE) || 4) / 2);
}
