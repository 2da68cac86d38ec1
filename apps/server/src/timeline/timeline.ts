import {
  keyText,
  statusOf,
  type InstanceKey,
  type InstanceStatus,
  type LifecycleEvent,
  type ServiceInstance,
} from '#core';
import type { CatalogChange, ContentChange } from '#catalog';

/** Something that has happened to an instance of a service. */
export interface TimelineEntry extends LifecycleEvent {
  /** Its place among all that this process has seen. */
  readonly number: number;
  /** As it was, where it was there. */
  readonly before?: InstanceStatus;
  /** As it is since; absent: it is gone. */
  readonly status?: InstanceStatus;
  /** What its probe said, where that was made here and has changed the status. */
  readonly output?: string;
}

export interface TimelineBounds {
  /** Entries of one service. */
  readonly perService: number;
  /** Entries in all. */
  readonly total: number;
}

const BOUNDS: TimelineBounds = { perService: 200, total: 10_000 };
const MAX_OUTPUT = 512;

/**
 * What has happened to each service since this process began to watch, also to those that have gone. Bounded: of one
 * service the oldest is forgotten, and of all first what has happened to those to which nothing has for longest.
 */
export class Timeline {
  /** By service, to which something has happened last in the end; each in order. */
  private readonly services = new Map<string, TimelineEntry[]>();
  /** Of probes whose word is on its way to the registry. */
  private readonly outputs = new Map<string, string>();
  private size = 0;
  private number = 0;

  constructor(private readonly bounds = BOUNDS) {}

  /** Newest first; undefined when nothing is known of the service. */
  of(serviceName: string): readonly TimelineEntry[] | undefined {
    return this.services.get(serviceName)?.toReversed();
  }

  /** Returns what has happened, when it is more than a new version of the same. */
  see(change: CatalogChange): TimelineEntry | undefined {
    if (change.kind === 'vitals' || change.kind === 'freshness' || !change.event) return undefined;
    const entry = { ...this.entryOf(change, change.event), number: ++this.number };
    this.keep(entry);
    return entry;
  }

  /** What a probe said is told with the change that it makes: nowhere else is it known why. */
  async because<T>(key: InstanceKey, output: string, write: () => Promise<T>): Promise<T> {
    const text = keyText(key);
    this.outputs.set(text, output.slice(0, MAX_OUTPUT));
    try {
      return await write();
    } finally {
      this.outputs.delete(text);
    }
  }

  private entryOf(change: ContentChange, event: LifecycleEvent): Omit<TimelineEntry, 'number'> {
    const before = change.kind === 'upsert' ? change.before : change.instance;
    const output = event.cause === 'status' ? this.outputs.get(keyText(event.key)) : undefined;
    const detail = event.detail ?? detailOf(change, event);
    return {
      ...event,
      ...(before && { before: statusOf(before) }),
      ...(change.kind === 'upsert' && { status: statusOf(change.instance) }),
      ...(output !== undefined && { output }),
      ...(detail !== undefined && { detail }),
    };
  }

  private keep(entry: TimelineEntry): void {
    const { serviceName } = entry.key;
    const entries = this.services.get(serviceName) ?? [];
    this.services.delete(serviceName);
    this.services.set(serviceName, entries);
    entries.push(entry);
    if (entries.length > this.bounds.perService) entries.shift();
    else if (++this.size > this.bounds.total) this.forget();
  }

  private forget(): void {
    const [[serviceName, entries]] = this.services as unknown as [[string, TimelineEntry[]]];
    entries.shift();
    this.size--;
    if (entries.length === 0) this.services.delete(serviceName);
  }
}

/** What the cause alone does not say. */
function detailOf({ kind, instance }: ContentChange, { cause }: LifecycleEvent): string | undefined {
  if (cause === 'released' && kind === 'remove') return 'the hold has ended';
  if (cause === 'maintenance') return maintenanceOf(instance);
  return undefined;
}

function maintenanceOf({ maintenance }: ServiceInstance): string {
  if (!maintenance) return 'off';
  return maintenance.reason === '' ? 'on' : `on: ${maintenance.reason}`;
}
