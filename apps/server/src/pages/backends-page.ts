import { silentLogger, type BackendCapabilities } from '#core';
import { BUILT_IN, choicesOf } from '../seams.js';
import { loadSettings } from '../settings/index.js';

type Environment = Readonly<Record<string, string>>;

/** What changes what a backend can do has a row of its own. */
const VARIANTS: Readonly<Record<string, readonly Environment[]>> = {
  memory: [{}, { DATA_DIR: 'folder' }],
  kubernetes: [{}, { KUBERNETES_WRITE: 'true' }],
};

const COLUMNS = ['register', 'leases', 'maintenance', 'removalCauses', 'configuration', 'durable', 'replicas'] as const;
const TITLES = [
  'register',
  'leases',
  'maintenance',
  'causes of removals',
  'configuration',
  'survives `kill -9` of a server',
  'replicas',
];

/** docs/backends.md, with what the code itself declares. */
export async function backendsPage(): Promise<string> {
  const rows: string[][] = [];
  const notes: string[] = [];
  for (const { type } of BUILT_IN.backends) {
    for (const variant of VARIANTS[type] ?? [{}]) {
      const capabilities = await capabilitiesOf({ ...variant, REGISTRY_TYPE: type });
      const name = [`\`${type}\``, ...Object.keys(variant).map((variable) => `with \`${variable}\``)].join(' ');
      rows.push([name, ...COLUMNS.map((column) => cell(capabilities[column]))]);
      notes.push(...capabilities.notes.map((note) => `- ${name}: ${note}`));
    }
  }
  return `# Backends

\`REGISTRY_TYPE\` chooses the registry behind the API. Every one of them passes the same contract suite on a real server: the same words mean the same. What a registry does by itself is *native*; what we do in its place is *emulated*, and means the same to a caller; what is *refused* is answered 501, with the reason. \`GET /api/v1/capabilities\` says it of a server that runs.

${table([['', ...TITLES], Array(TITLES.length + 1).fill('---'), ...rows])}

${notes.join('\n')}

Each has a page: ${BUILT_IN.backends.map(({ type }) => `[${type}](backends/${type}.md)`).join(', ')}. For what they have in common, and what happens while a registry is away, see [architecture.md](architecture.md).
`;
}

async function capabilitiesOf(environment: Environment): Promise<BackendCapabilities> {
  const { settings } = loadSettings(environment, choicesOf(BUILT_IN));
  const { type, options, dataDir } = settings.registry;
  const module = BUILT_IN.backends.find((each) => each.type === type)!;
  const backend = await module.create(options, { logger: silentLogger, now: Date.now, graceMs: 0, dataDir });
  return backend.capabilities;
}

function cell(value: string | boolean): string {
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : value;
}

function table(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
