import type { ConfigDocument, ConfigVersion, Fields, ResolvedConfig } from '../api/wire.js';
import { ageOf } from './age.js';
import type { View } from './printer.js';
import type { Column } from './table.js';

interface Entry {
  /** A JSON pointer. */
  readonly key: string;
  readonly value: string;
  readonly from?: string;
}

const OF_ENTRY: readonly Column<Entry>[] = [
  { header: 'KEY', value: ({ key }) => key },
  { header: 'VALUE', value: ({ value }) => value },
];

const VERSION: Column<{ readonly version: number }> = { header: 'VERSION', value: ({ version }) => String(version) };

export const DOCUMENT: View<ConfigDocument, Entry> = {
  title: ({ service_name, environment, version, updated_at, updated_by }) =>
    `${service_name} in ${environment}: version ${version}, ${ageOf(updated_at)} ago by ${updated_by}`,
  rows: ({ config }) => entriesOf(config),
  name: ({ key }) => key,
  columns: OF_ENTRY,
  empty: 'It is empty.',
};

export const RESOLVED: View<ResolvedConfig, Entry> = {
  title: ({ service_name, environment, layers }) =>
    `${service_name} in ${environment}: ${layers.map(({ layer, version }) => `${layer} ${version}`).join(', ') || 'no layers'}`,
  rows: ({ config, sources }) => entriesOf(config).map((entry) => ({ ...entry, from: sources[entry.key] })),
  name: ({ key }) => key,
  columns: [...OF_ENTRY, { header: 'FROM', value: ({ from = '-' }) => from }],
  empty: 'It is empty.',
};

/** What a write has made. */
export const WRITTEN: View<ConfigDocument, ConfigDocument> = {
  rows: (document) => [document],
  name: ({ version }) => String(version),
  columns: [
    { header: 'SERVICE', value: ({ service_name }) => service_name },
    { header: 'ENVIRONMENT', value: ({ environment }) => environment },
    VERSION,
  ],
};

export const HISTORY: View<readonly ConfigVersion[], ConfigVersion> = {
  rows: (versions) => versions,
  name: ({ version }) => String(version),
  columns: [
    VERSION,
    { header: 'AGO', value: ({ updated_at }) => ageOf(updated_at) },
    { header: 'BY', value: ({ updated_by }) => updated_by },
    {
      header: 'WHAT',
      value: ({ deleted, rolled_back_to: to }) => (deleted ? 'deleted' : to === undefined ? 'put' : `back to ${to}`),
    },
  ],
};

/** Each value that is no object, or an empty one. */
function entriesOf(value: Fields, pointer = ''): Entry[] {
  return Object.entries(value).flatMap(([name, member]) => {
    const key = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return isFilled(member) ? entriesOf(member, key) : [{ key, value: JSON.stringify(member) }];
  });
}

function isFilled(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
}
