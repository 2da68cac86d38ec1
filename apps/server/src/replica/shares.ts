import { drawOf, keyHash, keyText, nodeHash, type ServiceInstance } from '#core';
import type { Catalog, CatalogChange, CatalogEntry } from '#catalog';
import type { HealthMonitor } from '#health';
import { sharesChecks } from './identity.js';
import type { Peers } from './peers.js';

interface Member {
  readonly hash: number;
  /** Undefined: this replica. */
  readonly peer: ServiceInstance | undefined;
}

/**
 * Shares the health checks out among the live replicas, one owner each, and feeds the monitor. Replicas
 * agree on nothing: each goes by whom it knows, and for a moment two may take the same check for theirs, or
 * none does. What both write is conditional on what they have seen, so that the slower one loses.
 */
export class Shares {
  private members: readonly Member[] = [];

  constructor(
    private readonly monitor: HealthMonitor,
    private readonly catalog: Catalog,
    private readonly peers: Peers,
  ) {
    peers.onChange = () => this.deal();
  }

  see(change: CatalogChange): void {
    this.peers.see(change);
    switch (change.kind) {
      case 'upsert':
        this.feed(this.catalog.get(change.instance)!);
        return;
      case 'remove':
        this.monitor.remove(change.instance);
        return;
      case 'freshness':
        this.monitor.setOnline(change.live);
        return;
      case 'vitals':
        return;
    }
  }

  /**
   * Who makes the checks of an instance; undefined: this replica, as it does where no other is known. Who is held
   * is known as that to this replica alone: each makes its own picture of it.
   */
  ownerOf({ instance, hold }: CatalogEntry): ServiceInstance | undefined {
    if (hold) return undefined;
    const key = keyHash(keyText(instance));
    let [owner] = this.members;
    let highest = -1;
    for (const member of this.members) {
      const draw = drawOf(member.hash, key);
      if (draw <= highest) continue;
      highest = draw;
      owner = member;
    }
    return owner?.peer;
  }

  private deal(): void {
    const { live, registered, ownId } = this.peers;
    const peers = live.filter(sharesChecks).map((peer) => ({ hash: nodeHash(peer.serviceId), peer }));
    this.members = registered ? [...peers, { hash: nodeHash(ownId), peer: undefined }] : peers;
    for (const entry of this.catalog.all()) this.feed(entry);
  }

  private feed(entry: CatalogEntry): void {
    this.monitor.upsert(entry.instance, this.ownerOf(entry) === undefined);
  }
}
