import { KubeConfig } from '@kubernetes/client-node';
import { existsSync } from 'node:fs';
import type { Agent, RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** The client library looks at a token's file once a minute. */
const REMEMBERED_MS = 10_000;

export interface AccessOptions {
  /** Files as in the variable `KUBECONFIG` of kubectl; absent: in-cluster, else kubectl's own file. */
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** Where the API server is and how we show who we are, as a kubeconfig or a pod's ServiceAccount says. */
export class Access {
  private remembered: { readonly options: Promise<RequestOptions>; readonly until: number } | undefined;

  private constructor(
    private config: KubeConfig,
    private readonly read: () => KubeConfig,
  ) {}

  /** @throws Error in words for an operator. */
  static of({ kubeconfig, context }: AccessOptions): Access {
    const read = () => {
      const config = kubeconfig === undefined ? byDefault() : fromFiles(kubeconfig.split(delimiter));
      if (context !== undefined) config.setCurrentContext(context);
      if (!config.getCurrentCluster()) {
        throw new Error(
          `no cluster for the context ${config.getCurrentContext() || '(none is set)'} in the kubeconfig`,
        );
      }
      return config;
    };
    const access = new Access(read(), read);
    if (access.server.protocol !== 'https:') throw new Error(`${access.server.href} is not https`);
    return access;
  }

  get server(): URL {
    return new URL(this.config.getCurrentCluster()!.server);
  }

  /** The pod's own, or the context's. */
  get namespace(): string {
    return this.config.getContextObject(this.config.getCurrentContext())?.namespace?.trim() || 'default';
  }

  /** What every request carries: authority, certificate or token, and the agent where a proxy is in between. */
  options(): Promise<RequestOptions> {
    const now = performance.now();
    if (!this.remembered || this.remembered.until < now) {
      this.remembered = { options: this.make(), until: now + REMEMBERED_MS };
    }
    return this.remembered.options;
  }

  /** Who we are is not taken any more: everything is read anew. */
  renew(): void {
    this.remembered = undefined;
    this.config = this.read();
  }

  private async make(): Promise<RequestOptions> {
    const { agent, ...options } = await this.applied();
    return this.config.getCurrentCluster()?.proxyUrl ? { ...options, agent } : options;
  }

  private async applied(): Promise<RequestOptions & { agent?: Agent }> {
    const options: RequestOptions = { headers: {} };
    await this.config.applyToHTTPSOptions(options);
    return options as RequestOptions & { agent?: Agent };
  }
}

function fromFiles(files: readonly string[]): KubeConfig {
  const config = new KubeConfig();
  for (const [index, file] of files.filter((each) => each !== '').entries()) {
    const one = new KubeConfig();
    try {
      one.loadFromFile(file);
    } catch (error) {
      throw new Error(`KUBECONFIG: ${file}: ${(error as Error).message}`, { cause: error });
    }
    config.mergeConfig(one, index > 0);
  }
  return config;
}

function byDefault(): KubeConfig {
  if (process.env.KUBERNETES_SERVICE_HOST) {
    const config = new KubeConfig();
    config.loadFromCluster();
    return config;
  }
  const file = join(homedir(), '.kube', 'config');
  if (!existsSync(file)) throw new Error(`not in a cluster, and there is no ${file}: set KUBECONFIG`);
  return fromFiles([file]);
}
