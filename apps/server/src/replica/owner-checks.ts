import { BackendError, hasActiveCheck, keyOf } from '#core';
import type { CatalogEntry } from '#catalog';
import type { CheckReport, HealthMonitor } from '#health';
import { Problem } from '../http/problem.js';
import type { Credentials } from './credentials.js';
import type { Peer, PeerAnswer, PeerClient } from './peer-client.js';
import type { Shares } from './shares.js';
import { checkReport } from './wire.js';

/** Beside what the check itself may take: until its turn comes there, and for the way. */
const MARGIN_MS = 5_000;

/** Checks that somebody asks for, made by the replica that makes them anyway: it alone knows the thresholds' state. */
export class OwnerChecks {
  constructor(
    private readonly monitor: HealthMonitor,
    private readonly shares: Shares,
    private readonly client: PeerClient,
    private readonly credentials: Credentials,
  ) {}

  /** Whether this replica makes the checks of the instance. */
  areOurs(entry: CatalogEntry): boolean {
    return !hasActiveCheck(entry.instance) || this.shares.ownerOf(entry) === undefined;
  }

  /** @throws What `HealthMonitor.checkNow` does; Problem 503 when the replica that makes the check does not answer. */
  async checkNow(entry: CatalogEntry, signal: AbortSignal): Promise<CheckReport> {
    const owner = hasActiveCheck(entry.instance) ? this.shares.ownerOf(entry) : undefined;
    return owner ? this.askOwner(owner, entry, signal) : this.monitor.checkNow(entry.instance, signal);
  }

  private async askOwner(owner: Peer, { instance }: CatalogEntry, gone: AbortSignal): Promise<CheckReport> {
    if (!this.credentials.known) throw elsewhere(owner, 'cannot be asked: there is no REPLICA_SECRET');
    const query = { service: instance.serviceName, id: instance.serviceId };
    const signal = AbortSignal.any([gone, AbortSignal.timeout(instance.check!.timeout + MARGIN_MS)]);
    let answer: PeerAnswer;
    try {
      const headers = this.credentials.headersFor(owner.serviceId);
      answer = await this.client.ask(owner, 'check', { query, headers, signal });
    } catch (error) {
      gone.throwIfAborted();
      throw elsewhere(owner, `does not answer: ${(error as Error).message}`);
    }
    if (answer.status === 409) throw new BackendError('CONFLICT', `${instance.serviceId} is checked otherwise now`);
    if (answer.status !== 200) throw elsewhere(owner, `has not made it: ${answer.status} ${answer.body}`);
    return { ...keyOf(instance), ...checkReport.parse(JSON.parse(answer.body)) };
  }
}

function elsewhere({ serviceId }: Peer, why: string): Problem {
  const detail = `${serviceId}, which makes this check, ${why}`;
  return new Problem(503, 'CHECK_ELSEWHERE', detail, {}, { 'Retry-After': '1' });
}
