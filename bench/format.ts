import type { Spread } from './statistics.js';

// Figures and tables, as Markdown and a terminal both can show them.

/** The median, and the least and the most. */
export function whole({ median, min, max }: Spread): string {
  return `${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)})`;
}

export function share({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}

export function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

export function percent(value: number): string {
  return `${(value * 100).toFixed(0)} %`;
}

/** Parts of a page, with an empty line between. */
export function paragraphs(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, i) => Math.max(3, ...[head, ...rows].map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** The text with what is made in place of what stands between the two marks. */
export function replaceBetween(text: string, begin: string, end: string, made: string): string {
  const [before = '', rest = ''] = text.split(begin, 2);
  const [, after] = rest.split(end, 2);
  if (after === undefined) throw new Error(`no place between ${begin} and ${end}`);
  return `${before}${begin}\n\n${made}\n\n${end}${after}`;
}
