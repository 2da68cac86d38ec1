import {
  protocolOf,
  sameValue,
  type HealthCheck,
  type HealthStatus,
  type ProbeResult,
  type ServiceInstance,
  type Version,
} from '#core';
import type { CheckReport } from './report.js';
import { startingAt, type Thresholds } from './thresholds.js';
import type { Scheduled } from './timer-wheel.js';

/** A probe under way, shared by all who wait for it. */
export interface Flight {
  readonly abort: AbortController;
  readonly report: Promise<CheckReport>;
}

/** What a process does about an instance, beside knowing it. */
export interface Duty {
  /** It lives not by heartbeats alone. */
  readonly probed: boolean;
  /** To probe and evict it is up to this process; else another one does. */
  readonly ours: boolean;
}

/** One instance with a check, for as long as what is probed, and by whom, stays the same. */
export class Watched {
  thresholds: Thresholds;
  scheduled?: Scheduled;
  flight?: Flight;
  report?: CheckReport;
  /** Of the latest probe that could be made. */
  result?: ProbeResult;
  /** The latest probe could not be made. */
  faulty = false;
  /** A status on its way to the registry. */
  writing?: Promise<void>;
  /** What the registry was told at which version: not to be told again before it shows. */
  told?: { readonly version: Version; readonly status: HealthStatus };
  /** The registry is still to be told of the status. */
  unwritten = false;
  /** It could not be told the last time. */
  failing = false;
  /** Somebody else's write came first: to be told again as soon as that shows. */
  contested = false;
  /** For how long it was critical under our eyes, whoever probed it, milliseconds; undefined while it is not. */
  criticalMs?: number;
  /** The version at which its eviction was asked for. */
  evictedAt?: Version;

  constructor(
    public instance: ServiceInstance,
    readonly check: HealthCheck,
    readonly duty: Duty,
  ) {
    this.thresholds = startingAt(probedStatus(instance));
  }

  get status(): HealthStatus {
    return this.thresholds.status;
  }

  /** Probes of our own are to say that it is critical: a former owner's word may be from before it recovered. */
  get confirmed(): boolean {
    return !this.duty.probed || this.result !== undefined;
  }

  /** Whether the instance is still probed in the same way at the same place. */
  isStill(instance: ServiceInstance): boolean {
    return (
      instance.address === this.instance.address &&
      instance.port === this.instance.port &&
      protocolOf(instance) === protocolOf(this.instance) &&
      sameValue(instance.check, this.check)
    );
  }

  /** A status that is new in the registry and not our own is somebody's word to go on from: a registration's, a former owner's. */
  see(instance: ServiceInstance): void {
    const probed = probedStatus(instance);
    if (probed !== probedStatus(this.instance)) {
      if (probed === this.told?.status) this.told = undefined;
      else if (probed !== this.status) this.thresholds = startingAt(probed);
    }
    this.instance = instance;
  }
}

/** What the registry says that probes have found. */
export function probedStatus(instance: ServiceInstance): HealthStatus {
  return instance.probed ?? 'passing';
}
