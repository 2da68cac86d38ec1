import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { text as readText } from 'node:stream/consumers';

/** An administrator's. JSON is YAML. */
export function kubeconfig(server: string, authority: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority': authority } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  });
}

/** The answer's JSON. Rejects when there is none within a second, or an error. */
export async function kubeRequest(path: string, method: string, url: string, body?: unknown): Promise<unknown> {
  // Large, and wanted only where there is something to ask.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromFile(path);
  const options: RequestOptions = {
    method,
    headers: { 'content-type': 'application/json' },
    signal: AbortSignal.timeout(1_000),
  };
  await config.applyToHTTPSOptions(options);
  const asked = request(`${config.getCurrentCluster()!.server}${url}`, options);
  asked.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const text = await readText(answer);
  if (answer.statusCode! >= 400) throw new Error(`${method} ${url}: ${answer.statusCode} ${text}`);
  return JSON.parse(text);
}
