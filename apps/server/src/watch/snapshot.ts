import type { Catalog, CatalogEntry } from '#catalog';
import { presentInstance } from '../api/v1/presenters/instance.js';
import { Frame } from '../streams/index.js';
import type { ChangeFrames } from './change-frames.js';

/** Why a reader who comes back has to begin anew. */
export type ResyncReason = 'another epoch' | 'too old';

/** Everything in a scope at one moment, ready to be sent to many. */
export class Snapshot {
  readonly size: number;
  readonly live: boolean;
  private readonly instances: string;
  private readonly id: string;
  private readonly freshness: object;
  private readonly madeAt = performance.now();
  private readonly rendered = new Map<ResyncReason | undefined, Frame>();

  constructor(
    entries: readonly CatalogEntry[],
    /** Where a reader stands who has it. */
    readonly place: number,
    catalog: Catalog,
    frames: ChangeFrames,
  ) {
    const { source, ageMs } = catalog.freshnessNow();
    this.size = entries.length;
    this.live = catalog.live;
    this.id = frames.revisionText(catalog.revision);
    this.freshness = { source, age_ms: ageMs };
    this.instances = JSON.stringify(entries.map((entry) => presentInstance(entry, { vitals: true })));
  }

  get ageMs(): number {
    return performance.now() - this.madeAt;
  }

  /** @param reason For whoever had another state, which this one takes the place of. */
  frame(reason?: ResyncReason): Frame {
    let frame = this.rendered.get(reason);
    if (!frame) this.rendered.set(reason, (frame = this.render(reason)));
    return frame;
  }

  private render(reason: ResyncReason | undefined): Frame {
    const event = reason === undefined ? 'snapshot' : 'resync';
    const head = JSON.stringify({ event, revision: this.id, ...(reason && { reason }), ...this.freshness });
    return new Frame(event, `${head.slice(0, -1)},"instances":${this.instances}}`, this.id);
  }
}
