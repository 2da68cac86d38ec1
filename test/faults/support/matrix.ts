import { paragraphs, replaceBetween, table } from '../../../bench/format.js';
import { readResults, type Cell, type Results } from './results.js';

const BEGIN = '<!-- matrix: made by `npm run docs` of test/faults/results -->';
const END = '<!-- end of the matrix -->';

/** docs/reliability.md with what was measured last in its place. */
export function withMatrix(page: string): string {
  return replaceBetween(page, BEGIN, END, matrix(readResults()));
}

function matrix(results: ReadonlyMap<string, Results>): string {
  const backends = [...results.keys()];
  const all = [...results.values()];
  const faults = [...new Set(all.flatMap(({ cells }) => Object.keys(cells)))];
  // What befalls all of them comes first.
  const shared = (fault: string) => all.filter(({ cells }) => fault in cells).length;
  const rows = faults
    .sort((a, b) => shared(b) - shared(a) || a.localeCompare(b))
    .map((fault) => [fault, ...all.map(({ cells }) => cellText(cells[fault]))]);
  return paragraphs(table(['', ...backends], rows), machineText(all));
}

function cellText(cell: Cell | undefined): string {
  if (!cell) return '';
  const stale = cell.staleMs === undefined ? '–' : seconds(cell.staleMs);
  return `${stale} · ${seconds(cell.convergedMs)} · ${cell.failedReads}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function machineText(all: readonly Results[]): string {
  const [first] = all;
  if (!first) return '';
  const { cpu, cores, node } = first.machine;
  const cells = all.flatMap((each) => Object.values(each.cells));
  const sum = (of: (cell: Cell) => number) => cells.reduce((total, cell) => total + of(cell), 0);
  const slowest = Math.max(...cells.map(({ slowestRefusalMs }) => slowestRefusalMs));
  const loads = all.map(({ machine }) => machine.loadAverage);
  return (
    `Measured on ${cores} cores of ${cpu} that everything shared, Node ${node}, load average ${Math.min(...loads)} to ${Math.max(...loads)}: ` +
    `${sum(({ failedReads }) => failedReads)} of ${sum(({ reads }) => reads)} reads failed, and the slowest refusal of a write took ${seconds(slowest)}.`
  );
}
