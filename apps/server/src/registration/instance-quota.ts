import { keyText, type InstanceKey, type Registration } from '#core';
import type { Catalog } from '#catalog';
import { Problem } from '../http/problem.js';

/** Absent: any number. */
export interface InstanceLimits {
  readonly perService?: number;
  readonly perCaller?: number;
}

/**
 * So many instances of each service, and of each caller: those that the view shows, and those that are being
 * registered here. What others register at the same moment through other replicas is not known yet.
 */
export class InstanceQuota {
  /** Whose each instance is that counts. */
  private readonly holders = new Map<string, string | undefined>();
  private readonly ofService = new Map<string, number>();
  private readonly ofCaller = new Map<string, number>();
  /** Registrations that are under way, of each instance. */
  private readonly coming = new Map<string, number>();

  constructor(
    private readonly catalog: Catalog,
    private readonly limits: InstanceLimits,
  ) {
    catalog.subscribe((change) => {
      if (change.kind === 'upsert') this.count(change.instance, change.instance.registeredBy);
      else if (change.kind === 'remove') this.settle(change.instance);
    });
  }

  /**
   * Keeps a place until the way out is called: before that, what is registered must be in the view.
   * @throws Problem 429 where there is none; what is there already needs none.
   */
  enter(registration: Registration): () => void {
    const text = keyText(registration);
    if (!this.holders.has(text)) {
      this.requireRoom(registration);
      this.count(registration, registration.registeredBy);
    }
    this.coming.set(text, (this.coming.get(text) ?? 0) + 1);
    return () => {
      const left = this.coming.get(text)! - 1;
      if (left > 0) this.coming.set(text, left);
      else this.coming.delete(text);
      this.settle(registration);
    };
  }

  private requireRoom({ serviceName, registeredBy }: Registration): void {
    const { perService = Infinity, perCaller = Infinity } = this.limits;
    if ((this.ofService.get(serviceName) ?? 0) >= perService)
      throw tooMany(`${serviceName} has ${perService} instances already (MAX_INSTANCES_PER_SERVICE)`);
    if (registeredBy !== undefined && (this.ofCaller.get(registeredBy) ?? 0) >= perCaller)
      throw tooMany(`one caller may have ${perCaller} instances registered (MAX_INSTANCES_PER_CALLER)`);
  }

  private count(key: InstanceKey, holder: string | undefined): void {
    const text = keyText(key);
    if (!this.holders.has(text)) add(this.ofService, key.serviceName, 1);
    else if (this.holders.get(text) === holder) return;
    else this.uncountHolder(text);
    this.holders.set(text, holder);
    if (holder !== undefined) add(this.ofCaller, holder, 1);
  }

  /** It counts no more if it has gone and does not come. */
  private settle(key: InstanceKey): void {
    const text = keyText(key);
    if (this.coming.has(text) || this.catalog.get(key) || !this.holders.has(text)) return;
    add(this.ofService, key.serviceName, -1);
    this.uncountHolder(text);
    this.holders.delete(text);
  }

  private uncountHolder(text: string): void {
    const holder = this.holders.get(text);
    if (holder !== undefined) add(this.ofCaller, holder, -1);
  }
}

function add(counts: Map<string, number>, name: string, by: 1 | -1): void {
  const sum = (counts.get(name) ?? 0) + by;
  if (sum > 0) counts.set(name, sum);
  else counts.delete(name);
}

function tooMany(detail: string): Problem {
  return new Problem(429, 'TOO_MANY_INSTANCES', detail, {}, { 'Retry-After': '10' });
}
