import { NO_FILTER, type InstanceFilter, type Outcome } from '#core';
import { selectCandidates, type Balancer } from '#balancing';
import { NoInstanceError } from '../errors.js';
import type { Instance } from '../instance.js';
import type { LocalView } from './view.js';

/** Selections that are kept ready for one state of a service. */
const KEPT = 100;
const NOBODY: ReadonlySet<string> = new Set();

/** Which instances are wanted. Every part that is given must hold. */
export interface Filter {
  /** All of these. */
  readonly tags?: readonly string[];
  /** None of these. */
  readonly withoutTags?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** Passing or warning, and not in maintenance. Always so for a pick. */
  readonly healthyOnly?: boolean;
  readonly region?: string;
  readonly zone?: string;
}

export interface PickOptions {
  readonly strategy?: string;
  readonly filter?: Filter;
  /** Ids of those that were tried already, say. */
  readonly exclude?: ReadonlySet<string>;
  /** For `consistent_hash`. */
  readonly key?: string;
}

export interface Picked {
  readonly instance: Instance;
  /** How the call went: strategies that learn, learn from this. It counts as in flight until then. */
  readonly done: (outcome: Outcome) => void;
}

/** Picks from the view, with the strategies that the server has. */
export class Picker {
  private readonly kept = new WeakMap<readonly Instance[], Map<string, readonly Instance[]>>();

  constructor(
    private readonly view: LocalView,
    readonly balancer: Balancer,
    private readonly place: { readonly region?: string; readonly zone?: string },
  ) {}

  /** @throws NoInstanceError; UnknownStrategyError of the strategy's name. */
  pick(service: string, { strategy, filter, exclude = NOBODY, key }: PickOptions): Picked {
    const wish = filterOf(filter);
    const scope = filter ? `${service} ${JSON.stringify(wish)}` : service;
    const all = this.candidates(service, scope, wish);
    const candidates = exclude.size === 0 ? all : all.filter(({ serviceId }) => !exclude.has(serviceId));
    const pick = this.balancer.pick(strategy, candidates, { scope, hashKey: key, ...this.place });
    if (!pick) throw new NoInstanceError(service);
    // It is one of the candidates, and all of those are ours.
    return { instance: pick.instance as Instance, done: (outcome) => pick.done(outcome) };
  }

  private candidates(service: string, scope: string, filter: InstanceFilter): readonly Instance[] {
    const instances = this.view.instances(service);
    let kept = this.kept.get(instances);
    if (!kept || kept.size > KEPT) {
      kept = new Map<string, readonly Instance[]>();
      this.kept.set(instances, kept);
    }
    let candidates = kept.get(scope);
    if (!candidates) {
      candidates = selectCandidates(instances, { filter, exclude: NOBODY }) as readonly Instance[];
      kept.set(scope, candidates);
    }
    return candidates;
  }
}

export function filterOf({ metadata, ...filter }: Filter = {}): InstanceFilter {
  return { ...NO_FILTER, ...filter, metadata: Object.entries(metadata ?? {}) };
}
