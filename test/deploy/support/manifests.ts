import { template } from './helm.js';

const TITLE = '# Made of the chart by `npm run manifests`.\n';

/** What Helm alone needs, and where the release would be: `kubectl -n` says so. */
const OF_A_RELEASE =
  /^ *(helm\.sh\/chart|app\.kubernetes\.io\/managed-by|checksum\/config|namespace|annotations): ?.*\n|^ *# A pod that runs.*\n/gm;

/** The chart's defaults and what guards them, as files for kubectl. */
export async function manifests(): Promise<Readonly<Record<string, string>>> {
  const values = {
    fullnameOverride: 'service-discovery',
    'podDisruptionBudget.enabled': true,
    'networkPolicy.enabled': true,
  };
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
