import type { Vitals } from '#core';

/** How far clocks of two hosts may be apart. */
const SKEW_MS = 5_000;

/**
 * Of two that know the time of a heartbeat, what the later one says; else what is told last. Checks have a time of
 * their own, and so has the load: heartbeats and probes both tell it, and old ones are told again, by a registry
 * with every change, by another replica whenever it is asked.
 */
export function latest(known: Vitals = {}, told: Vitals, now: number): Vitals {
  const vitals = isOlder(told.lastHeartbeat, known.lastHeartbeat, now) ? { ...told, ...known } : { ...known, ...told };
  return { ...vitals, ...latestCheck(known, told, now), ...latestLoad(known, told, now) };
}

function latestCheck(known: Vitals, told: Vitals, now: number): Pick<Vitals, 'lastHealthCheck'> {
  if (known.lastHealthCheck === undefined || told.lastHealthCheck === undefined) return {};
  const { lastHealthCheck } = isOlder(told.lastHealthCheck, known.lastHealthCheck, now) ? known : told;
  return { lastHealthCheck };
}

function latestLoad(known: Vitals, told: Vitals, now: number): Pick<Vitals, 'loadPercentage' | 'loadAt'> {
  if (known.loadPercentage === undefined || told.loadPercentage === undefined) return {};
  const { loadPercentage, loadAt } = isOlder(loadTime(told), loadTime(known), now) ? known : told;
  return { loadPercentage, loadAt };
}

/** What lies ahead was told before a clock was set back, and would stand against all news until then. */
function isOlder(told: number | undefined, known: number | undefined, now: number): boolean {
  return told !== undefined && known !== undefined && told < known && known <= now + SKEW_MS;
}

function loadTime({ loadAt, lastHeartbeat }: Vitals): number | undefined {
  return loadAt ?? lastHeartbeat;
}
