import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { isHealthy, matches, NO_FILTER, statusOf, type InstanceFilter, type Pick, type ServiceInstance } from '#core';
import { explainSelection, selectCandidates, UnknownStrategyError, type Balancer, type LeftOut } from '#balancing';
import type { Catalog, CatalogEntry } from '#catalog';
import { badRequest, notFound, Problem } from '../http/problem.js';

/** Candidates of this many services and filters are kept ready, and of so many instances in all of them. */
const KEPT_SELECTIONS = 10_000;
const KEPT_CANDIDATES = 1_000_000;

export interface PickWish {
  readonly strategy?: string;
  readonly filter: InstanceFilter;
  readonly exclude: ReadonlySet<string>;
  readonly hashKey?: string;
  readonly region?: string;
  readonly zone?: string;
}

interface Candidates {
  readonly revision: number;
  readonly instances: readonly ServiceInstance[];
}

/** Reads, for every API and dialect: from the view alone. */
@Injectable()
export class Discovery {
  private readonly kept = new LRUCache<string, Candidates>({
    max: KEPT_SELECTIONS,
    maxSize: KEPT_CANDIDATES,
    sizeCalculation: ({ instances }) => instances.length + 1,
  });
  /** Of a service as it is: every filter that leaves nobody out has this same array. */
  private readonly unfiltered = new WeakMap<readonly CatalogEntry[], readonly ServiceInstance[]>();

  constructor(
    readonly catalog: Catalog,
    private readonly balancer: Balancer,
    private readonly ownName: string,
    private readonly picked: (serviceName: string) => void = () => undefined,
  ) {}

  /** Services that keep an instance under the filter, sorted by name; our own replicas only when asked for. */
  services(filter: InstanceFilter, { internal }: { internal: boolean }): [string, readonly CatalogEntry[]][] {
    return [...this.catalog.find(filter)].filter(([name]) => internal || name !== this.ownName);
  }

  /** How they are in a word: well when there is none, or at least half of them have a healthy instance. */
  summary() {
    const services = this.services(NO_FILTER, { internal: false });
    const healthy = services.filter(([, entries]) =>
      entries.some(({ instance }) => isHealthy(statusOf(instance))),
    ).length;
    return {
      overall_status: healthy * 2 >= services.length ? 'healthy' : 'unhealthy',
      total_services: services.length,
      healthy_services: healthy,
      unhealthy_services: services.length - healthy,
    };
  }

  /** Those of its instances that the filter lets through. @throws Problem 404 when there is no such service now. */
  entries(serviceName: string, filter = NO_FILTER): readonly CatalogEntry[] {
    const entries = this.catalog.instances(serviceName);
    if (!entries) throw notFound(`there is no service ${serviceName} now`, 'SERVICE_NOT_FOUND');
    return filter === NO_FILTER ? entries : entries.filter(({ instance }) => matches(instance, filter));
  }

  /** @throws Problem 404. */
  entry(serviceName: string, serviceId: string): CatalogEntry {
    const entry = this.catalog.get({ serviceName, serviceId });
    if (entry) return entry;
    throw notFound(`there is no instance ${serviceId} of service ${serviceName} now`, 'INSTANCE_NOT_FOUND');
  }

  /**
   * The instance of this id, of whichever service, or of the one that is named. Undefined when there is none.
   * @throws Problem 409 with the candidates when the id is not unique.
   */
  entryById(serviceId: string, serviceName?: string): CatalogEntry | undefined {
    if (serviceName !== undefined) return this.catalog.get({ serviceName, serviceId });
    const [found, ...others] = this.catalog.byId(serviceId);
    if (others.length === 0) return found;
    const candidates = this.catalog.byId(serviceId).map(({ instance }) => ({
      service_name: instance.serviceName,
      service_id: instance.serviceId,
    }));
    const detail = `several services have an instance ${serviceId}: say which by ?service=`;
    throw new Problem(409, 'AMBIGUOUS_ID', detail, { candidates });
  }

  /** @throws Problem 400 for an unknown strategy, 404 without a service or a healthy instance. */
  pick(serviceName: string, wish: PickWish): Pick {
    const scope = scopeOf(serviceName, wish.filter);
    const candidates = this.candidates(serviceName, scope, wish);
    const { hashKey, region, zone } = wish;
    try {
      const pick = this.balancer.pick(wish.strategy, candidates, { scope, hashKey, region, zone });
      if (pick) {
        this.picked(serviceName);
        return pick;
      }
    } catch (error) {
      if (!(error instanceof UnknownStrategyError)) throw error;
      throw badRequest(error.message, [{ path: 'strategy', message: `must be one of ${error.allowed.join(', ')}` }]);
    }
    throw notFound(`no instance of ${serviceName} is fit to be picked`, 'NO_HEALTHY_INSTANCES');
  }

  /** What a pick would choose from, and why not from the others. */
  explain(serviceName: string, wish: PickWish): { candidates: readonly ServiceInstance[]; leftOut: LeftOut[] } {
    const instances = this.instances(serviceName);
    return { candidates: selectCandidates(instances, wish), leftOut: explainSelection(instances, wish) };
  }

  /** The same array until the service changes, so that strategies may keep what they make of it. */
  private candidates(serviceName: string, scope: string, wish: PickWish): readonly ServiceInstance[] {
    const revision = this.catalog.revisionOf(serviceName);
    let kept = this.kept.get(scope);
    if (kept?.revision !== revision) {
      const instances = this.instances(serviceName);
      kept = { revision, instances: selectCandidates(instances, { filter: wish.filter, exclude: NOBODY }) };
      this.kept.set(scope, kept);
    }
    return wish.exclude.size === 0 ? kept.instances : selectCandidates(kept.instances, wish);
  }

  private instances(serviceName: string): readonly ServiceInstance[] {
    const entries = this.entries(serviceName);
    let instances = this.unfiltered.get(entries);
    if (!instances) this.unfiltered.set(entries, (instances = entries.map(({ instance }) => instance)));
    return instances;
  }
}

const NOBODY: ReadonlySet<string> = new Set();

function scopeOf(serviceName: string, filter: InstanceFilter): string {
  if (filter === NO_FILTER) return serviceName;
  return `${serviceName} ${JSON.stringify([filter.tags, filter.withoutTags, filter.metadata])}`;
}
