import { join } from 'node:path';
import { loadAllYaml } from '@kubernetes/client-node';
import { run } from '../../servers/command.js';
import { shared } from '../../servers/kind.js';
import { kubernetes } from '../../servers/kubernetes.js';
import { executable } from '../../servers/program.js';
import { helm as program } from './tools.js';

export const CHART = join(import.meta.dirname, '../../../helm/service-discovery');

/** Without a cluster it would take one of years ago for granted. */
const VERSION = '--kube-version=1.36.3';

/** Values by their paths: a list in braces, as `--set` takes it; an object or a list of them as a file would have it. */
export type Values = Readonly<Record<string, string | number | boolean | object>>;

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: any;
}

/** What the release would consist of. Rejects with what helm says against the values. */
export function template(values: Values = {}): Promise<string> {
  return helm('template', 'sd', CHART, '--namespace=space', VERSION, ...set(values));
}

export async function objects(values: Values = {}): Promise<readonly KubernetesObject[]> {
  return loadAllYaml(await template(values)) as KubernetesObject[];
}

export function lint(values: Values = {}): Promise<string> {
  return helm('lint', '--strict', CHART, VERSION, ...set(values));
}

/** Helm on the cluster that suites share. */
export function onCluster(namespace: string, ...args: readonly string[]): Promise<string> {
  return helm(...args, `--namespace=${namespace}`, `--kubeconfig=${shared(kubernetes)}`);
}

export function set(values: Values): string[] {
  return Object.entries(values).flatMap(([path, value]) =>
    typeof value === 'object' ? ['--set-json', `${path}=${JSON.stringify(value)}`] : ['--set', `${path}=${value}`],
  );
}

function helm(...args: readonly string[]): Promise<string> {
  return run(executable(program), args);
}
