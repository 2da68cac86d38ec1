import { template, type Values } from './helm.js';

const TITLE = '# Made of the chart by `npm run manifests`.\n';

/** What Helm alone needs, and where the release would be: `kubectl -n` says so. */
const OF_A_RELEASE =
  /^ *(helm\.sh\/chart|app\.kubernetes\.io\/managed-by|checksum\/config|namespace|annotations): ?.*\n|^ *# A pod that runs.*\n/gm;

const DEFAULTS: Values = {
  fullnameOverride: 'service-discovery',
  'podDisruptionBudget.enabled': true,
  'networkPolicy.enabled': true,
};

/** Kinds that a cluster has only with the Prometheus operator. */
const OPTIONAL: Values = { 'serviceMonitor.enabled': true, 'prometheusRule.enabled': true };

/** The chart's defaults and what guards them, as files for kubectl; in `optional/`, what the operator is told. */
export async function manifests(): Promise<Readonly<Record<string, string>>> {
  const files = await filesOf(DEFAULTS);
  const more = Object.entries(await filesOf({ ...DEFAULTS, ...OPTIONAL })).filter(([name]) => !(name in files));
  // Here everybody may read, metrics too: they need no port of their own.
  const optional = more.map(([name, text]) => [`optional/${name}`, text.replace('port: metrics', 'port: http')]);
  return { ...files, ...(Object.fromEntries(optional) as Record<string, string>) };
}

async function filesOf(values: Values): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {};
  for (const part of (await template(values)).split(/^---\n/m)) {
    const [source, path] = /^# Source: .*templates\/(.*)\n/.exec(part) ?? [];
    if (path === undefined || path.startsWith('tests/')) continue;
    const object = part
      .slice(source!.length)
      .replace(OF_A_RELEASE, '')
      .replaceAll('instance: sd', 'instance: service-discovery');
    files[path] = files[path] === undefined ? TITLE + object : `${files[path]}---\n${object}`;
  }
  return files;
}
