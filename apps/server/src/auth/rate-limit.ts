import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';

/** Callers that are counted: who has asked for nothing for longest is forgotten first. */
const COUNTED = 20_000;
/** What so long a time allows may come at once. */
const BURST_MS = 10_000;

/** So many requests a second of each caller, by the generic cell rate algorithm (ITU-T I.371): a number for each. */
export class RateLimit {
  /** When what each has asked for would be through at an even rate. */
  private readonly through = new LRUCache<string, number>({ max: COUNTED });
  private readonly intervalMs: number;

  /** @param now Milliseconds, monotonic. */
  constructor(
    perSecond: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.intervalMs = 1_000 / perSecond;
  }

  /** Counts a request. Returns how many milliseconds it came too early; 0: it did not. */
  take(caller: string): number {
    const now = this.now();
    const early = this.early(caller, now);
    if (early === 0) this.through.set(caller, this.throughAfter(caller, now));
    return early;
  }

  /** How many milliseconds too early a request would come now; it is not counted. */
  early(caller: string, now = this.now()): number {
    return Math.max(this.throughAfter(caller, now) - now - BURST_MS, 0);
  }

  private throughAfter(caller: string, now: number): number {
    return Math.max(this.through.get(caller) ?? now, now) + this.intervalMs;
  }
}

/** Who is not known is counted by where the request comes from: of IPv6, the network of one customer. */
export function originOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address;
  const [head = ''] = address.split('::');
  return `${head.split(':').slice(0, 4).join(':')}::/64`;
}
