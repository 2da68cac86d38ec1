import { isHealthy, matches, NO_FILTER, statusOf, type InstanceFilter, type Pick, type ServiceInstance } from '#core';
import type { LRUCache } from 'lru-cache';
import { explainSelection, selectCandidates, UnknownStrategyError, type Balancer, type LeftOut } from '#balancing';
import type { Catalog, CatalogEntry } from '#catalog';
import type { Visibility } from '../auth/visibility.js';
import { badRequest, notFound, Problem } from '../http/problem.js';

export interface PickWish {
  readonly strategy?: string;
  readonly filter: InstanceFilter;
  readonly exclude: ReadonlySet<string>;
  readonly hashKey?: string;
  readonly region?: string;
  readonly zone?: string;
}

/** Ready to be picked from. */
export interface Candidates {
  readonly revision: number;
  readonly instances: readonly ServiceInstance[];
}

/** What everybody's reads are made of. */
export interface Sources {
  readonly catalog: Catalog;
  readonly balancer: Balancer;
  readonly ownName: string;
  readonly picked: (serviceName: string) => void;
  readonly kept: LRUCache<string, Candidates>;
}

/** What there is, to whoever may see so much of it: what may not be seen is not there. */
export class Seen {
  /** Of a service as it is: every filter that leaves nobody out has this same array. */
  private readonly unfiltered = new WeakMap<readonly CatalogEntry[], readonly ServiceInstance[]>();
  /** Of a service as it is, those of its instances that may be seen. */
  private readonly visible = new WeakMap<readonly CatalogEntry[], readonly CatalogEntry[]>();

  constructor(
    private readonly sources: Sources,
    private readonly visibility: Visibility,
  ) {}

  /** Services that keep an instance under the filter, sorted by name; our own replicas only when asked for. */
  services(filter: InstanceFilter, { internal }: { internal: boolean }): [string, readonly CatalogEntry[]][] {
    const { catalog, ownName } = this.sources;
    const services = [...catalog.find(filter)].filter(([name]) => internal || name !== ownName);
    if (this.visibility.all) return services;
    return services
      .map(([name, entries]): [string, readonly CatalogEntry[]] => [name, this.visibleOf(name, entries)])
      .filter(([, entries]) => entries.length > 0);
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
    const entries = this.find(serviceName);
    if (entries.length === 0) throw notFound(`there is no service ${serviceName} now`, 'SERVICE_NOT_FOUND');
    return filter === NO_FILTER ? entries : entries.filter(({ instance }) => matches(instance, filter));
  }

  /** Its instances; none when there is no such service now. */
  find(serviceName: string): readonly CatalogEntry[] {
    return this.visibleOf(serviceName, this.sources.catalog.instances(serviceName) ?? NONE);
  }

  /** @throws Problem 404. */
  entry(serviceName: string, serviceId: string): CatalogEntry {
    const entry = this.sources.catalog.get({ serviceName, serviceId });
    if (entry && this.visibility.sees(entry.instance)) return entry;
    throw notFound(`there is no instance ${serviceId} of service ${serviceName} now`, 'INSTANCE_NOT_FOUND');
  }

  /**
   * The instance of this id, of whichever service, or of the one that is named. Undefined when there is none.
   * @throws Problem 409 with the candidates when the id is not unique.
   */
  entryById(serviceId: string, serviceName?: string): CatalogEntry | undefined {
    const { catalog } = this.sources;
    const all =
      serviceName === undefined ? catalog.byId(serviceId) : [catalog.get({ serviceName, serviceId })].filter(isThere);
    const visible = all.filter(({ instance }) => this.visibility.sees(instance));
    if (visible.length <= 1) return visible[0];
    const candidates = visible.map(({ instance }) => ({
      service_name: instance.serviceName,
      service_id: instance.serviceId,
    }));
    const detail = `several services have an instance ${serviceId}: say which by ?service=`;
    throw new Problem(409, 'AMBIGUOUS_ID', detail, { candidates });
  }

  /** @throws Problem 400 for an unknown strategy, 404 without a service or a healthy instance. */
  pick(serviceName: string, wish: PickWish): Pick {
    const scope = this.scopeOf(serviceName, wish.filter);
    const candidates = this.candidates(serviceName, scope, wish);
    const { hashKey, region, zone } = wish;
    try {
      const pick = this.sources.balancer.pick(wish.strategy, candidates, { scope, hashKey, region, zone });
      if (pick) {
        this.sources.picked(serviceName);
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
    const revision = this.sources.catalog.revisionOf(serviceName);
    let kept = this.sources.kept.get(scope);
    if (kept?.revision !== revision) {
      const instances = this.instances(serviceName);
      kept = { revision, instances: selectCandidates(instances, { filter: wish.filter, exclude: NOBODY }) };
      this.sources.kept.set(scope, kept);
    }
    return wish.exclude.size === 0 ? kept.instances : selectCandidates(kept.instances, wish);
  }

  private instances(serviceName: string): readonly ServiceInstance[] {
    const entries = this.entries(serviceName);
    let instances = this.unfiltered.get(entries);
    if (!instances) this.unfiltered.set(entries, (instances = entries.map(({ instance }) => instance)));
    return instances;
  }

  /** The same array until the service changes. */
  private visibleOf(serviceName: string, entries: readonly CatalogEntry[]): readonly CatalogEntry[] {
    if (this.visibility.seesAllOf(serviceName)) return entries;
    let visible = this.visible.get(entries);
    if (!visible) {
      visible = entries.filter(({ instance }) => this.visibility.sees(instance));
      this.visible.set(entries, visible);
    }
    return visible;
  }

  /** Whoever may see all of a service takes turns with all others who may. */
  private scopeOf(serviceName: string, filter: InstanceFilter): string {
    const part = this.visibility.seesAllOf(serviceName) ? serviceName : `${serviceName} ${this.visibility.key}`;
    if (filter === NO_FILTER) return part;
    return `${part} ${JSON.stringify([filter.tags, filter.withoutTags, filter.metadata])}`;
  }
}

const NONE: readonly CatalogEntry[] = [];
const NOBODY: ReadonlySet<string> = new Set();

function isThere<T>(found: T | undefined): found is T {
  return found !== undefined;
}
