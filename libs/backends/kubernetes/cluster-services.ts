import { compareVersions, recordOf, sameContent, type InstanceKey, type InstanceRecord, type Version } from '#core';
import { idOf, recordAt, type Place } from './endpoints.js';
import { Marks } from './marks.js';
import { SERVICE_OF_SLICE } from './names.js';
import { nameOf, type EndpointSlice, type Service } from './objects.js';
import type { View } from './view.js';

export interface NamingOptions {
  /** Of labels and annotations that are for us. */
  readonly prefix: string;
  /** Several namespaces: a service is `name.namespace`. */
  readonly withNamespace: boolean;
  /** Whose slices are only the picture of what we have elsewhere. */
  readonly isOurs: (slice: EndpointSlice) => boolean;
}

interface Known {
  service?: Service;
  /** By the instance's id: where it is. A change of one slice is then no work on all of them. */
  readonly places: Map<string, readonly Place[]>;
  /** The ids of those that are in the view. */
  readonly shown: Set<string>;
}

/** What runs in the cluster: Services with their slices, brought into the view as they change. */
export class ClusterServices {
  private readonly groups = new Map<string, Known>();
  private readonly marks: Marks;

  constructor(
    private readonly view: View,
    private readonly options: NamingOptions,
  ) {
    this.marks = new Marks(options.prefix);
  }

  serviceChanged(before: Service | undefined, after: Service | undefined, version: Version): void {
    const name = nameOf((after ?? before)!);
    const group = this.group(name);
    group.service = after;
    this.renew(name, group, group.places.keys(), version, true);
  }

  /** @param seen What Kubernetes takes out before our eyes it means to; what is found missing, nobody says why. */
  sliceChanged(
    before: EndpointSlice | undefined,
    after: EndpointSlice | undefined,
    version: Version,
    seen: boolean,
  ): void {
    const [old, now] = [before, after].map((each) => (each && !this.options.isOurs(each) ? groupOf(each) : undefined));
    if (old !== undefined && old !== now) {
      this.renew(old, this.group(old), this.place(this.group(old), before, undefined), version, seen);
    }
    if (now === undefined) return;
    const group = this.group(now);
    this.renew(now, group, this.place(group, old === now ? before : undefined, after), version, seen);
  }

  private group(name: string): Known {
    let group = this.groups.get(name);
    if (!group) this.groups.set(name, (group = { places: new Map(), shown: new Set() }));
    return group;
  }

  /** The ids of the instances that this changes. */
  private place(
    { places }: Known,
    before: EndpointSlice | undefined,
    after: EndpointSlice | undefined,
  ): ReadonlySet<string> {
    const come = placesIn(after);
    const ids = new Set([...placesIn(before).keys(), ...come.keys()]);
    for (const id of ids) {
      const others = (places.get(id) ?? []).filter(({ slice }) => slice !== before);
      // Whichever was told first, every replica has them in one order.
      const all = [...others, ...(come.get(id) ?? [])].sort(bySlice);
      if (all.length > 0) places.set(id, all);
      else places.delete(id);
    }
    return ids;
  }

  private renew(name: string, group: Known, ids: Iterable<string>, version: Version, seen: boolean): void {
    const [namespace, service] = name.split('/') as [string, string];
    const serviceName = this.options.withNamespace ? `${service}.${namespace}` : service;
    for (const serviceId of ids) {
      const places = group.places.get(serviceId);
      const record =
        places && recordAt(serviceId, places, { serviceName, namespace, service: group.service }, this.marks);
      if (record) {
        this.put(record, version);
        group.shown.add(serviceId);
      } else if (group.shown.delete(serviceId)) {
        const key = { serviceName, serviceId };
        this.view.remove(key, this.after(key, version), seen ? 'deregistered' : 'unknown', 'kubernetes');
      }
    }
    if (group.places.size === 0 && !group.service) this.groups.delete(name);
  }

  private put(record: InstanceRecord, version: Version): void {
    const known = this.view.get(record);
    if (known && sameContent(recordOf(known), record)) return;
    const changed = { ...record.changed, cause: known ? causeOf(known, record) : record.changed.cause };
    this.view.put({ ...record, changed, version: this.after(record, version), vitals: {} });
  }

  /** Services and slices are told of at different times: what is told later is the newer state here, whatever its version. */
  private after(key: InstanceKey, version: Version): Version {
    const known = this.view.get(key)?.version;
    if (known === undefined || compareVersions(known, version) < 0) return version;
    return String(BigInt(known) + 1n);
  }
}

function placesIn(slice: EndpointSlice | undefined): Map<string, Place[]> {
  const places = new Map<string, Place[]>();
  for (const endpoint of slice?.endpoints ?? []) {
    const id = idOf(endpoint);
    if (id === undefined) continue;
    const known = places.get(id);
    if (known) known.push({ slice: slice!, endpoint });
    else places.set(id, [{ slice: slice!, endpoint }]);
  }
  return places;
}

function bySlice(a: Place, b: Place): number {
  const [left, right] = [a.slice.metadata.name, b.slice.metadata.name];
  return left < right ? -1 : left > right ? 1 : 0;
}

function groupOf({ metadata: { namespace, labels } }: EndpointSlice): string | undefined {
  const service = labels?.[SERVICE_OF_SLICE];
  return service === undefined ? undefined : `${namespace}/${service}`;
}

function causeOf(before: InstanceRecord, after: InstanceRecord): 'updated' | 'status' | 'maintenance' {
  if ((before.maintenance === undefined) !== (after.maintenance === undefined)) return 'maintenance';
  return before.reported === after.reported ? 'updated' : 'status';
}
