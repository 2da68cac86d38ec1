import type { BackendError } from '#core';

/** `live`: in step with the registry; `stale`: it is away, this is the last known good; `snapshot`: of before this start. */
export type Source = 'live' | 'stale' | 'snapshot';

export interface FreshnessReport {
  /** Undefined until there is a view at all. */
  readonly source: Source | undefined;
  /** Milliseconds since the view was last known to be in step; 0 while it is. */
  readonly ageMs: number;
  readonly reason?: string;
}

/** Knows whether what the catalog shows is the present. Two things must be so: the watch follows, and the registry answers. */
export class Freshness {
  private following = false;
  private away: BackendError | undefined;
  private silence: BackendError | undefined;
  private inStepAt: number | undefined;
  private restored = false;

  /** @param now Milliseconds, monotonic. */
  constructor(private readonly now: () => number) {}

  get live(): boolean {
    return this.following && this.silence === undefined;
  }

  /** The watch has told everything up to now. */
  followed(): void {
    this.following = true;
    this.away = undefined;
    this.read();
  }

  lost(error: BackendError): void {
    this.following = false;
    this.away = error;
  }

  /** Everything was read once. */
  read(): void {
    this.inStepAt = this.now();
    this.restored = false;
  }

  /** There is what an earlier process knew, so many milliseconds ago. */
  remembered(ageMs: number): void {
    this.inStepAt = this.now() - ageMs;
    this.restored = true;
  }

  answered(): void {
    this.silence = undefined;
    if (this.live) this.inStepAt = this.now();
  }

  silent(error: BackendError): void {
    this.silence = error;
  }

  report(): FreshnessReport {
    const reason = (this.away ?? this.silence)?.message;
    if (this.inStepAt === undefined) return { source: undefined, ageMs: 0, reason };
    if (this.live) return LIVE;
    const source = this.restored ? 'snapshot' : 'stale';
    return { source, ageMs: Math.max(0, Math.round(this.now() - this.inStepAt)), reason };
  }
}

const LIVE: FreshnessReport = { source: 'live', ageMs: 0 };
