import { compareVersions, keyOf, keyText, recordOf, sameContent, type InstanceRecord, type Version } from '#core';
import { instancesOf } from './endpoints.js';
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
  readonly slices: Map<string, EndpointSlice>;
  service?: Service;
  /** By keyText. */
  instances: ReadonlyMap<string, InstanceRecord>;
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
    this.renew(name, group, version, true);
  }

  /** @param seen What Kubernetes takes out before our eyes it means to; what is found missing, nobody says why. */
  sliceChanged(
    before: EndpointSlice | undefined,
    after: EndpointSlice | undefined,
    version: Version,
    seen: boolean,
  ): void {
    const slice = nameOf((after ?? before)!);
    const [old, now] = [before, after].map((each) => (each && !this.options.isOurs(each) ? groupOf(each) : undefined));
    if (old !== undefined && old !== now) {
      this.group(old).slices.delete(slice);
      this.renew(old, this.group(old), version, seen);
    }
    if (now === undefined) return;
    this.group(now).slices.set(slice, after!);
    this.renew(now, this.group(now), version, seen);
  }

  private group(name: string): Known {
    let group = this.groups.get(name);
    if (!group) this.groups.set(name, (group = { slices: new Map(), instances: new Map() }));
    return group;
  }

  private renew(name: string, group: Known, version: Version, seen: boolean): void {
    const [namespace, service] = name.split('/') as [string, string];
    const serviceName = this.options.withNamespace ? `${service}.${namespace}` : service;
    const slices = [...group.slices.values()];
    const records = instancesOf({ serviceName, namespace, service: group.service, slices }, this.marks);
    const instances = new Map(records.map((record) => [keyText(record), record]));
    for (const [key, record] of group.instances) {
      if (instances.has(key)) continue;
      this.view.remove(keyOf(record), this.after(record, version), seen ? 'deregistered' : 'unknown', 'kubernetes');
    }
    for (const record of records) this.put(record, version);
    group.instances = instances;
    if (slices.length === 0 && !group.service) this.groups.delete(name);
  }

  private put(record: InstanceRecord, version: Version): void {
    const known = this.view.get(record);
    if (known && sameContent(recordOf(known), record)) return;
    const changed = { ...record.changed, cause: known ? causeOf(known, record) : record.changed.cause };
    this.view.put({ ...record, changed, version: this.after(record, version), vitals: {} });
  }

  /** Services and slices are told of at different times: what is told later is the newer state here, whatever its version. */
  private after(record: InstanceRecord, version: Version): Version {
    const known = this.view.get(record)?.version;
    if (known === undefined || compareVersions(known, version) < 0) return version;
    return String(BigInt(known) + 1n);
  }
}

function groupOf({ metadata: { namespace, labels } }: EndpointSlice): string | undefined {
  const service = labels?.[SERVICE_OF_SLICE];
  return service === undefined ? undefined : `${namespace}/${service}`;
}

function causeOf(before: InstanceRecord, after: InstanceRecord): 'updated' | 'status' | 'maintenance' {
  if ((before.maintenance === undefined) !== (after.maintenance === undefined)) return 'maintenance';
  return before.reported === after.reported ? 'updated' : 'status';
}
