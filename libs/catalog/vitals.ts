import type { Vitals } from '#core';

/** How far clocks of two hosts may be apart. */
const SKEW_MS = 5_000;

/**
 * Of two that know the time of a heartbeat, what the later one says; else what is told last. The load has a
 * time of its own: heartbeats and probes both tell it, and a registry tells an old one again with every change.
 */
export function latest(known: Vitals = {}, told: Vitals, now: number): Vitals {
  const vitals = isOlder(told.lastHeartbeat, known.lastHeartbeat, now) ? { ...told, ...known } : { ...known, ...told };
  if (known.loadPercentage === undefined || told.loadPercentage === undefined) return vitals;
  const { loadPercentage, loadAt } = isOlder(loadTime(told), loadTime(known), now) ? known : told;
  return { ...vitals, loadPercentage, loadAt };
}

/** What lies ahead was told before a clock was set back, and would stand against all news until then. */
function isOlder(told: number | undefined, known: number | undefined, now: number): boolean {
  return told !== undefined && known !== undefined && told < known && known <= now + SKEW_MS;
}

function loadTime({ loadAt, lastHeartbeat }: Vitals): number | undefined {
  return loadAt ?? lastHeartbeat;
}
