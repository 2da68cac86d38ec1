import { createHash } from 'node:crypto';
import type { InstanceKey } from '#core';

/** So many that none becomes too large to look at, so few that they are easily listed. */
const NODES = 16;
/** What can stand in Consul as it is: Consul folds case, and tools put ids into paths. */
const PLAIN_ID = /^[a-z0-9._-]{1,64}$/;

/**
 * Where things lie, under one name: in the KV store
 *
 *     NAME/registry                   what this is, and whose
 *     NAME/instances/SERVICE/ID       a record, or why and by whom it was removed
 *     NAME/heartbeats/SERVICE/ID      its latest heartbeat
 *     NAME/changes/SERVICE            rewritten with every change of an instance of the service
 *
 * and in the catalog, for Consul's own tools, each instance as a service on one of the nodes NAME-00 to
 * NAME-15, which no agent speaks for.
 */
export class Layout {
  readonly registry: string;
  readonly instances: string;
  readonly heartbeats: string;
  readonly changes: string;
  readonly nodes: readonly string[];
  /** Of what is in the catalog, what we have not put there. */
  readonly foreign: string;

  constructor(name: string) {
    this.registry = `${name}/registry`;
    this.instances = `${name}/instances/`;
    this.heartbeats = `${name}/heartbeats/`;
    this.changes = `${name}/changes/`;
    this.nodes = Array.from({ length: NODES }, (_, i) => `${name}-${String(i).padStart(2, '0')}`);
    this.foreign = `Node not matches "^${name}-[0-9]{2}$"`;
  }

  instance({ serviceName, serviceId }: InstanceKey): string {
    return `${this.instances}${serviceName}/${serviceId}`;
  }

  /** The folder of a service's instances. */
  service(serviceName: string): string {
    return `${this.instances}${serviceName}/`;
  }

  heartbeat({ serviceName, serviceId }: InstanceKey): string {
    return `${this.heartbeats}${serviceName}/${serviceId}`;
  }

  change(serviceName: string): string {
    return `${this.changes}${serviceName}`;
  }

  /** Whose key this is, under `instances` or `heartbeats`; undefined for what somebody else has put there. */
  keyOf(folder: string, path: string): InstanceKey | undefined {
    const parts = path.slice(folder.length).split('/');
    const [serviceName, serviceId] = parts;
    return parts.length === 2 && serviceName && serviceId ? { serviceName, serviceId } : undefined;
  }

  /** The node that stands for the host of this instance. */
  node(key: InstanceKey): string {
    return this.nodes[digest(`${key.serviceName}/${key.serviceId}`).readUInt8() % NODES]!;
  }

  /** Its id in the catalog. */
  catalogId({ serviceName, serviceId }: InstanceKey): string {
    const id = PLAIN_ID.test(serviceId) ? serviceId : `~${digest(serviceId).toString('hex').slice(0, 32)}`;
    return `${serviceName}:${id}`;
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
