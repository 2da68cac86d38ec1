import { asBackendError, keyOf, statusOf, worst, type Logger } from '#core';
import { isOvertaken, type HealthSink } from './sink.js';
import type { Underway } from './underway.js';
import type { Watched } from './watched.js';

/** How often the clocks are read: an eviction is at most this much late. */
export const SWEEP_MS = 1_000;

/**
 * Removes what was critical for too long *under our eyes*: each clock adds up the time between two
 * sweeps in which the instance was critical, so neither an outage of the registry nor a pause of this
 * process counts, and a restart begins anew. Those that others probe are counted too: whoever takes one
 * over goes on where it was, once a probe of its own has found the same.
 */
export class Evictions {
  constructor(
    private readonly sink: HealthSink,
    private readonly underway: Underway,
    private readonly logger: Logger,
  ) {}

  /**
   * Begins what evictions are due; one that fails is tried again at the next sweep.
   * @param elapsedMs Since the sweep before. 0: the registry is away, and nothing is evicted.
   */
  sweep(watched: Iterable<Watched>, elapsedMs: number): void {
    for (const each of watched) {
      each.criticalMs = isCritical(each) ? (each.criticalMs ?? -elapsedMs) + elapsedMs : undefined;
      if (elapsedMs > 0 && isDue(each)) void this.underway.add(this.evict(each));
    }
  }

  private async evict(watched: Watched): Promise<void> {
    const { instance, criticalMs } = watched;
    const fields = { ...keyOf(instance), criticalMs };
    watched.evictedAt = instance.version;
    try {
      await this.sink.evict(instance);
      this.logger.debug(fields, 'instance evicted: critical for too long');
    } catch (error) {
      const { code, message } = asBackendError(error);
      if (isOvertaken(code)) {
        this.logger.debug({ ...fields, code }, 'eviction overtaken by another change');
      } else {
        watched.evictedAt = undefined;
        this.logger.warn({ ...fields, code, error: message }, 'eviction failed');
      }
    }
  }
}

/**
 * For the registry and for us: what we know better is on its way there. One in maintenance is not: whoever
 * took it out of rotation means to find it there, and evicted it would be back in as soon as it registers.
 */
function isCritical({ instance, status }: Watched): boolean {
  return statusOf(instance) === 'critical' && worst(instance.reported, status) === 'critical';
}

function isDue({ check, criticalMs, evictedAt, instance, duty, confirmed }: Watched): boolean {
  const limit = check.deregisterCriticalAfter;
  return (
    duty.ours &&
    confirmed &&
    limit > 0 &&
    criticalMs !== undefined &&
    criticalMs > limit &&
    evictedAt !== instance.version
  );
}
