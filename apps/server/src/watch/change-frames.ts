import type { ContentChange } from '#catalog';
import type { Alert } from '../alerts/alerts.js';
import { presentInstance } from '../api/v1/presenters/instance.js';
import { Frame } from '../streams/index.js';

/** To somebody whose filter an instance no longer passes, it has gone. */
const FILTERED = 'filtered';

/** The events that changes make: rendered at first use, once for everybody who gets them, and kept as long as the change is. */
export class ChangeFrames {
  private readonly upserts = new WeakMap<ContentChange, Frame>();
  private readonly removals = new WeakMap<ContentChange, Frame>();

  constructor(private readonly epoch: string) {}

  revisionText(revision: number): string {
    return `${this.epoch}.${revision}`;
  }

  upsert(change: Extract<ContentChange, { kind: 'upsert' }>): Frame {
    const { instance, held, event } = change;
    return kept(this.upserts, change, () => {
      const entry = { instance, ...(held && { hold: NO_END }) };
      return this.frame('upsert', change.revision, {
        cause: event?.cause ?? instance.changed.cause,
        instance: presentInstance(entry, { vitals: true }),
      });
    });
  }

  /** Also of an upsert, that a filter no longer lets through. */
  removal(change: ContentChange): Frame {
    return kept(this.removals, change, () =>
      this.frame('remove', change.revision, {
        cause: change.kind === 'remove' ? change.event.cause : FILTERED,
        service_name: change.instance.serviceName,
        service_id: change.instance.serviceId,
      }),
    );
  }

  alert({ name, serviceName, serviceId, details }: Alert, revision: number): Frame {
    return this.frame('alert', revision, {
      alert: name,
      service_name: serviceName,
      service_id: serviceId,
      ...details,
    });
  }

  /** @param content Members beside the event's name and its revision. */
  frame(event: string, revision: number, content: object): Frame {
    const id = this.revisionText(revision);
    return new Frame(event, JSON.stringify({ event, revision: id, ...content }), id);
  }
}

/** Nobody is told when a hold ends. */
const NO_END = { until: Infinity };

function kept(frames: WeakMap<ContentChange, Frame>, change: ContentChange, make: () => Frame): Frame {
  let frame = frames.get(change);
  if (!frame) frames.set(change, (frame = make()));
  return frame;
}
