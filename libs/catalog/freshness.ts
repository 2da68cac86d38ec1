import type { BackendError } from '#core';

/** `live`: in step with the registry; `stale`: the registry is away, this is the last known good. */
export type Source = 'live' | 'stale' | 'snapshot';

export interface FreshnessReport {
  /** Undefined until there is a view at all. */
  readonly source: Source | undefined;
  /** Milliseconds since the view was last in step; 0 while it is. */
  readonly ageMs: number;
  readonly reason?: string;
}

/** Knows whether what the catalog shows is the present. Two things must be so: the watch follows, and the registry answers. */
export class Freshness {
  private following = false;
  private answering = true;
  private inStepAt: number | undefined;
  private reason: string | undefined;

  constructor(private readonly now: () => number) {}

  get live(): boolean {
    return this.following && this.answering;
  }

  get hasView(): boolean {
    return this.inStepAt !== undefined;
  }

  /** A snapshot has come through the watch. */
  followed(): void {
    this.following = true;
    this.confirm();
  }

  lost(error: BackendError): void {
    this.following = false;
    this.reason = error.message;
  }

  silent(error: BackendError): void {
    this.answering = false;
    this.reason = error.message;
  }

  answered(): void {
    this.answering = true;
    this.confirm();
  }

  report(): FreshnessReport {
    if (this.inStepAt === undefined) return { source: undefined, ageMs: 0, reason: this.reason };
    if (this.live) return LIVE;
    return { source: 'stale', ageMs: Math.max(0, Math.round(this.now() - this.inStepAt)), reason: this.reason };
  }

  private confirm(): void {
    if (this.live) this.inStepAt = this.now();
  }
}

const LIVE: FreshnessReport = { source: 'live', ageMs: 0 };
