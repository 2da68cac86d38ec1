const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/y;

/** The longest duration that is accepted: a year. Longer ones are mistakes of unit. */
export const MAX_DURATION_MS = 365 * UNITS_MS.d!;

/**
 * Milliseconds of `"10s"`, `"1m30s"`, `"500ms"`, or of a number of seconds (`30`, `"30"`, `0.5`).
 * Units run from large to small, each at most once, as Go's and Consul's durations are written.
 * @returns undefined when it is none of these, negative, or longer than a year.
 */
export function parseDuration(input: unknown): number | undefined {
  const ms = typeof input === 'number' ? input * 1_000 : typeof input === 'string' ? parseText(input.trim()) : NaN;
  return ms >= 0 && ms <= MAX_DURATION_MS ? Math.round(ms) : undefined;
}

function parseText(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000;
  let total = 0;
  let smallest = Infinity;
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const part = PART.exec(text);
    if (!part) return NaN;
    const unit = UNITS_MS[part[2]!]!;
    if (unit >= smallest) return NaN;
    smallest = unit;
    total += Number(part[1]) * unit;
  }
  return text === '' ? NaN : total;
}

/** Seconds, as answers give durations. */
export function toSeconds(ms: number): number {
  return ms / 1_000;
}
