import { hasActiveCheck, keyText, type InstanceKey } from '#core';
import type { Catalog, CatalogEntry } from '#catalog';
import type { CheckReport, HealthMonitor } from '#health';
import type { Credentials } from './credentials.js';
import type { Peer, PeerClient } from './peer-client.js';
import type { Peers } from './peers.js';
import type { Shares } from './shares.js';
import { sightings, type Sighting } from './wire.js';

const DEADLINE_MS = 1_000;

/** What is known of a check. */
export interface Finding {
  /** Absent: it has not been made yet, or who has made it cannot be asked. */
  readonly report?: CheckReport;
  /** Why it is not known, in words for an operator. */
  readonly unknown?: string;
}

/** All or one of a service's instances. */
export interface Scope {
  readonly serviceName: string;
  readonly serviceId?: string;
}

interface Heard {
  readonly reports: ReadonlyMap<string, CheckReport>;
  /** Ids of those who have not answered. */
  readonly silent: ReadonlySet<string>;
}

/**
 * What each replica alone has seen, put together: heartbeats reach any of them, and a check is made by its
 * owner. Every replica is asked, and of what they say the newest stands.
 */
export class Sightings {
  /** Who asks for the same while it is asked for shares the answers. */
  private readonly underway = new Map<string, Promise<Heard>>();

  constructor(
    private readonly catalog: Catalog,
    private readonly monitor: HealthMonitor,
    private readonly shares: Shares,
    private readonly peers: Peers,
    private readonly client: PeerClient,
    private readonly credentials: Credentials,
  ) {}

  /** Of this replica alone, for another one. */
  own(scope: Scope): Sighting[] {
    return this.entriesOf(scope).map(({ instance }) => ({
      id: instance.serviceId,
      vitals: instance.vitals,
      report: hasActiveCheck(instance) ? this.monitor.report(instance) : undefined,
    }));
  }

  /** Asks the others, whose vitals go into our view. Resolves within a second or so, whoever answers. */
  async gather(scope: Scope): Promise<(entry: CatalogEntry) => Finding> {
    const { reports, silent } = await this.hear(scope);
    return (entry) => {
      const { instance } = entry;
      const found = this.monitor.report(instance) ?? reports.get(keyText(instance));
      if (found || !hasActiveCheck(instance)) return { report: found };
      const owner = this.shares.ownerOf(entry)?.serviceId;
      if (owner === undefined) return {};
      if (!this.credentials.known) return { unknown: `not known here: ${owner} makes this check (no REPLICA_SECRET)` };
      return silent.has(owner) ? { unknown: `not known here: ${owner}, which makes this check, does not answer` } : {};
    };
  }

  private hear(scope: Scope): Promise<Heard> {
    const key = `${scope.serviceName}/${scope.serviceId ?? ''}`;
    let hearing = this.underway.get(key);
    if (!hearing) {
      hearing = this.askAll(scope).finally(() => this.underway.delete(key));
      this.underway.set(key, hearing);
    }
    return hearing;
  }

  /** Never rejects. */
  private async askAll(scope: Scope): Promise<Heard> {
    const reports = new Map<string, CheckReport>();
    const silent = new Set<string>();
    const asked = this.credentials.known ? this.peers.live : [];
    const signal = AbortSignal.timeout(DEADLINE_MS);
    await Promise.all(
      asked.map(async (peer) => {
        const told = await this.ask(peer, scope, signal).catch(() => undefined);
        if (!told) silent.add(peer.serviceId);
        for (const each of told ?? []) this.take({ ...scope, serviceId: each.id }, each, reports);
      }),
    );
    return { reports, silent };
  }

  private async ask(peer: Peer, scope: Scope, signal: AbortSignal): Promise<Sighting[]> {
    const { serviceName: service, serviceId } = scope;
    const query = { service, ...(serviceId !== undefined && { id: serviceId }) };
    const headers = this.credentials.headersFor(peer.serviceId);
    const { status, body } = await this.client.ask(peer, 'seen', { query, headers, signal });
    if (status !== 200) throw new Error(`${status} ${body}`);
    return sightings.parse(JSON.parse(body));
  }

  /** Of a check that changes hands two may tell for a moment. */
  private take(key: InstanceKey, { vitals, report: told }: Sighting, reports: Map<string, CheckReport>): void {
    this.catalog.observe(key, vitals);
    if (!told) return;
    const known = reports.get(keyText(key));
    if (!known || known.timestamp < told.timestamp) reports.set(keyText(key), { ...key, ...told });
  }

  private entriesOf({ serviceName, serviceId }: Scope): readonly CatalogEntry[] {
    if (serviceId === undefined) return this.catalog.instances(serviceName) ?? [];
    const entry = this.catalog.get({ serviceName, serviceId });
    return entry ? [entry] : [];
  }
}
