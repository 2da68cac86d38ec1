const UNITS: readonly (readonly [number, string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'm'],
];

/** `42s`, `5m`, `3h`, `2d`: how long it is since then; `-` for never. */
export function ageOf(time: string | null, now = Date.now()): string {
  if (time === null) return '-';
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1_000));
  const [size, unit] = UNITS.find(([size]) => seconds >= 2 * size) ?? [1, 's'];
  return `${Math.floor(seconds / size)}${unit}`;
}
