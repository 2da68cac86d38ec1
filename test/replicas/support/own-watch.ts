import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import type { Environment } from '../../support/process.js';

/** Tells each piece of what a registry's own watch says, without any of our code between. */
type Watch = (environment: Environment, tell: (text: string) => void, signal: AbortSignal) => Promise<void>;

/** Of the registries that take their time: the rest is ours. */
export const OWN_WATCHES: Readonly<Record<string, Watch>> = { consul, kubernetes };

async function consul(
  { CONSUL_PORT, REGISTRY_PREFIX }: Environment,
  tell: (text: string) => void,
  signal: AbortSignal,
) {
  const keys = `http://127.0.0.1:${CONSUL_PORT}/v1/kv/${REGISTRY_PREFIX}/instances/?recurse`;
  for (let index = '0'; !signal.aborted;) {
    const answer = await fetch(`${keys}&index=${index}&wait=60s`, { signal });
    index = answer.headers.get('x-consul-index')!;
    tell(await answer.text());
  }
}

async function kubernetes(
  { KUBECONFIG, KUBERNETES_NAMESPACE }: Environment,
  tell: (text: string) => void,
  signal: AbortSignal,
) {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromFile(KUBECONFIG!);
  const options: RequestOptions = { signal };
  await config.applyToHTTPSOptions(options);
  const leases = `/apis/coordination.k8s.io/v1/namespaces/${KUBERNETES_NAMESPACE}/leases?watch=true`;
  const asked = request(`${config.getCurrentCluster()!.server}${leases}`, options).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  asked.on('error', () => undefined);
  for await (const text of answer.setEncoding('utf8') as AsyncIterable<string>) tell(text);
}
