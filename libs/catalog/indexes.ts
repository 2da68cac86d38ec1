import type { InstanceFilter, ServiceInstance } from '#core';

/** Finds instances across services by id, tag or metadata without looking at all of them. */
export class Indexes<Entry extends { readonly instance: ServiceInstance }> {
  private readonly ids = new Map<string, Set<Entry>>();
  private readonly tags = new Map<string, Set<Entry>>();
  private readonly metadata = new Map<string, Set<Entry>>();

  add(entry: Entry): void {
    const { serviceId, tags, metadata } = entry.instance;
    put(this.ids, serviceId, entry);
    for (const tag of tags) put(this.tags, tag, entry);
    for (const [key, value] of Object.entries(metadata)) put(this.metadata, pair(key, value), entry);
  }

  delete(entry: Entry): void {
    const { serviceId, tags, metadata } = entry.instance;
    drop(this.ids, serviceId, entry);
    for (const tag of tags) drop(this.tags, tag, entry);
    for (const [key, value] of Object.entries(metadata)) drop(this.metadata, pair(key, value), entry);
  }

  byId(serviceId: string): readonly Entry[] {
    return [...(this.ids.get(serviceId) ?? [])];
  }

  /** The smallest set that holds whatever the filter lets through; undefined when no index narrows it. */
  narrow(filter: InstanceFilter): ReadonlySet<Entry> | undefined {
    const sets = [
      ...filter.tags.map((tag) => this.tags.get(tag) ?? NONE),
      ...filter.metadata.map(([key, value]) => this.metadata.get(pair(key, value)) ?? NONE),
    ];
    if (sets.length === 0) return undefined;
    return sets.reduce((smallest, set) => (set.size < smallest.size ? set : smallest));
  }
}

const NONE: ReadonlySet<never> = new Set();

/** No metadata key holds a control character, so this cannot be read in two ways. */
function pair(key: string, value: string): string {
  return `${key}\u0000${value}`;
}

function put<Entry>(index: Map<string, Set<Entry>>, key: string, entry: Entry): void {
  const set = index.get(key);
  if (set) set.add(entry);
  else index.set(key, new Set([entry]));
}

function drop<Entry>(index: Map<string, Set<Entry>>, key: string, entry: Entry): void {
  const set = index.get(key);
  if (!set?.delete(entry)) return;
  if (set.size === 0) index.delete(key);
}
