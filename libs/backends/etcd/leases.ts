import type { InstanceKey, Logger } from '#core';
import type { Connection } from './connection.js';
import { NO_LEASE, type LeaseId, type Stored } from './layout.js';
import type { View } from './view.js';

/** Every instance that lives by heartbeats has a lease of its own. docs/backends/etcd.md says why. */
export class Leases {
  private warned = false;

  constructor(
    private readonly connection: Connection,
    private readonly view: View,
    private readonly logger: Logger,
  ) {}

  async grant(ttlMs: number): Promise<LeaseId> {
    const { lease, ttlMs: granted } = await this.connection.client.grant(ttlMs);
    if (granted >= ttlMs + 1_000 && !this.warned) {
      this.warned = true;
      this.logger.warn(
        { asked: ttlMs, granted },
        'etcd grants longer leases: its election timeout is too long for them',
      );
    }
    return lease;
  }

  /** Whether the instance's lease was there to be renewed. */
  async renew(key: InstanceKey, lease: LeaseId): Promise<boolean> {
    const { client } = this.connection;
    const known = this.view.get(key);
    const mine = known?.lease === lease ? known : undefined;
    // etcd answers for an expired lease when it has come to revoking it, and for none behind it until then.
    const late = mine !== undefined && performance.now() > mine.deadline;
    if (late && (await client.remaining(lease)) === undefined) return false;
    const left = await client.keepAlive(lease);
    if (left === undefined) return false;
    if (mine) mine.deadline = performance.now() + left;
    return true;
  }

  /** For what nobody needs any more. Should it fail, the lease ends by itself. */
  release(lease: LeaseId): void {
    if (lease === NO_LEASE) return;
    void this.connection.client.revoke(lease).catch(() => undefined);
  }
}

/** The lease with which one write leaves its instance, however often it is begun anew. */
export class LeaseOfWrite {
  private granted: LeaseId | undefined;

  constructor(private readonly leases: Leases) {}

  /** The one that the instance has, renewed, or a new one where it has none that fits. */
  async choose(found: Stored | undefined, before: number | undefined, ttl: number | undefined): Promise<LeaseId> {
    if (ttl === undefined) return NO_LEASE;
    const fits = found !== undefined && found.lease !== NO_LEASE && before === ttl;
    if (fits && (await this.leases.renew(found.key, found.lease))) return found.lease;
    return (this.granted ??= await this.leases.grant(ttl));
  }

  /** The write is made. */
  settle(chosen: LeaseId, replaced: LeaseId = NO_LEASE): void {
    for (const each of [this.granted ?? NO_LEASE, replaced]) if (each !== chosen) this.leases.release(each);
  }
}
