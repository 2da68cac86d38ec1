import { cut, oneLine, pad, widthOf } from './text.js';

export type Style = 'good' | 'doubtful' | 'bad' | 'aside';
export type Paint = (text: string, style: Style | 'header') => string;

export interface Column<Row> {
  readonly header: string;
  readonly value: (row: Row) => string;
  readonly style?: (row: Row) => Style | undefined;
  /** Left out where there is no room for it. */
  readonly optional?: true;
}

const GAP = 2;
/** A column is not made narrower than this. */
const NARROWEST = 8;

/** Lines of a table that is at most so wide; where a line has no end, as wide as it takes. */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  paint: Paint,
): string[] {
  const cells = columns.map((column) => ({ column, texts: rows.map((row) => oneLine(column.value(row))) }));
  const natural = cells.map(({ column, texts }) => Math.max(...[column.header, ...texts].map(widthOf)));
  const { shown, widths } = fitted(columns, natural, width);
  const line = (textOf: (i: number) => string, painted: (text: string, i: number) => string) =>
    shown
      .map((i, at) => {
        const text = cut(textOf(i), widths[at]!);
        // Nothing is padded at the end of a line.
        return painted(text, i) + (at === shown.length - 1 ? '' : pad('', widths[at]! - widthOf(text) + GAP));
      })
      .join('')
      .trimEnd();
  return [
    line(
      (i) => columns[i]!.header,
      (text) => paint(text, 'header'),
    ),
    ...rows.map((row, at) =>
      line(
        (i) => cells[i]!.texts[at]!,
        (text, i) => {
          const style = columns[i]!.style?.(row);
          return style ? paint(text, style) : text;
        },
      ),
    ),
  ];
}

/** Optional columns go first, from the right; then the widest ones get narrower. */
function fitted(
  columns: readonly Column<never>[],
  natural: readonly number[],
  width: number,
): { shown: readonly number[]; widths: readonly number[] } {
  let shown = columns.map((_, i) => i);
  const total = (widths: readonly number[]) => widths.reduce((sum, each) => sum + each + GAP, -GAP);
  const widthsOf = (of: readonly number[]) => of.map((i) => natural[i]!);
  while (total(widthsOf(shown)) > width) {
    const next = shown.findLast((i) => columns[i]!.optional);
    if (next === undefined) break;
    shown = shown.filter((i) => i !== next);
  }
  const widths = widthsOf(shown);
  for (let over = total(widths) - width; over > 0; over--) {
    const widest = Math.max(...widths);
    if (widest <= NARROWEST) break;
    widths[widths.indexOf(widest)] = widest - 1;
  }
  return { shown, widths };
}
