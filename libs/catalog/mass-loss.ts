import { keyText, type InstanceKey, type RemovalCause, type ServiceInstance } from '#core';

/** Losses within this time of each other count as one. */
const WINDOW_MS = 10_000;

export interface MassLossRules {
  /** Fewer than this are never a mass loss. */
  readonly min: number;
  /** Of a service's instances: more than this share must go. */
  readonly share: number;
  /** How long they are kept; 0 switches it off. */
  readonly holdMs: number;
}

/** An instance that went without anybody having asked for it. */
export interface Loss {
  readonly instance: ServiceInstance;
  readonly cause: RemovalCause;
  /** On the monotonic clock, milliseconds. */
  readonly at: number;
}

export interface Census {
  readonly present: number;
  readonly held: number;
}

/**
 * Tells the end of a few instances from the end of our knowledge of them. It remembers each
 * service's losses of the last seconds; once they are a mass loss, all of them are to be held.
 */
export class MassLossDetector {
  private readonly losses = new Map<string, Map<string, Loss>>();

  constructor(private readonly rules: MassLossRules) {}

  /**
   * @param lost What has just gone from this service.
   * @param left What is left of it. Those that are held are part of the same loss, however long it takes.
   * @returns What is to be held now: all of the window when it is a mass loss, else nothing.
   */
  judge(serviceName: string, lost: readonly Loss[], left: Census): readonly Loss[] {
    if (this.rules.holdMs === 0) return [];
    const window = this.losses.get(serviceName) ?? new Map<string, Loss>();
    for (const loss of lost) window.set(keyText(loss.instance), loss);
    const oldest = Math.max(...lost.map(({ at }) => at)) - WINDOW_MS;
    for (const [key, loss] of window) if (loss.at < oldest) window.delete(key);
    this.losses.set(serviceName, window);

    const gone = window.size + left.held;
    if (gone < this.rules.min || gone <= this.rules.share * (gone + left.present)) return [];
    this.losses.delete(serviceName);
    return [...window.values()];
  }

  /** It is back, or was deregistered after all: it counts as lost no longer. */
  forget(key: InstanceKey): void {
    const window = this.losses.get(key.serviceName);
    if (window?.delete(keyText(key)) && window.size === 0) this.losses.delete(key.serviceName);
  }

  /** Drops what is too old to count. */
  sweep(now: number): void {
    for (const [service, window] of this.losses) {
      for (const [key, loss] of window) if (loss.at < now - WINDOW_MS) window.delete(key);
      if (window.size === 0) this.losses.delete(service);
    }
  }
}
