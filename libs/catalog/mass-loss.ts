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
  /** By service and key, each in order of time: who comes back is forgotten before it can be lost again. */
  private readonly losses = new Map<string, Map<string, Loss>>();

  constructor(private readonly rules: MassLossRules) {}

  /**
   * @param lost What has just gone from this service, somebody at least, in order of time.
   * @param left What is left of it. Those that are held are part of the same loss, however long it takes.
   * @returns What is to be held now: all of the window when it is a mass loss, else nothing.
   */
  judge(serviceName: string, lost: readonly Loss[], left: Census): readonly Loss[] {
    if (this.rules.holdMs === 0) return [];
    const window = this.losses.get(serviceName) ?? new Map<string, Loss>();
    for (const loss of lost) window.set(keyText(loss.instance), loss);
    dropBefore(window, lost.at(-1)!.at - WINDOW_MS);
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
      dropBefore(window, now - WINDOW_MS);
      if (window.size === 0) this.losses.delete(service);
    }
  }
}

/** Stops at the first that stays: thousands are lost one by one, and each is looked at once. */
function dropBefore(window: Map<string, Loss>, oldest: number): void {
  for (const [key, { at }] of window) {
    if (at >= oldest) return;
    window.delete(key);
  }
}
