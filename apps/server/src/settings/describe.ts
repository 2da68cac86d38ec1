import type { LoadedSettings } from './load.js';

/** Every variable with its value and where that came from, a line each, and what is worth a warning; secrets are masked. */
export function describeSettings({ variables, warnings }: LoadedSettings): string {
  const rows = variables.map(({ name, value, source }) => ({
    assignment: `${name}=${value ?? ''}`,
    origin: value === undefined ? '# not set' : `# from ${source}`,
  }));
  const width = Math.max(...rows.map(({ assignment }) => assignment.length));
  const lines = rows.map(({ assignment, origin }) => `${assignment.padEnd(width)}  ${origin}`);
  return [...lines, ...warnings.map((warning) => `# warning: ${warning}`)].join('\n');
}
