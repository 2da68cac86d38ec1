import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text as readText } from 'node:stream/consumers';
import { shared } from '../../../servers/kind.js';
import { kubernetes } from '../../../servers/kubernetes.js';
import { kubeconfig } from '../../../servers/kubeconfig.js';

const DEADLINE_MS = 20_000;

/** An administrator of the cluster that tests share, past all that is tested. */
export class Admin {
  readonly server: URL;
  readonly token: string;
  /** The file that says who has signed the API server's certificate. */
  readonly authority: string;
  private readonly agent: Agent;

  /** @param address A kubeconfig as our test servers write it. */
  constructor(
    private readonly address = shared(kubernetes),
    token?: string,
  ) {
    const config = JSON.parse(readFileSync(address, 'utf8')) as Config;
    const { server, 'certificate-authority': authority } = config.clusters[0].cluster;
    this.server = new URL(server);
    this.authority = authority;
    this.token = token ?? config.users[0].user.token;
    this.agent = new Agent({ keepAlive: true, ca: readFileSync(authority) });
  }

  /** Somebody else, with as much as the token lets them. */
  as(token: string): Admin {
    return new Admin(this.address, token);
  }

  get port(): number {
    return Number(this.server.port);
  }

  /** For somebody on another way to the API server. */
  kubeconfig({ port = this.port, token = this.token }: { port?: number; token?: string } = {}): string {
    return kubeconfig(`https://127.0.0.1:${port}`, this.authority, token);
  }

  /** The answer's JSON. Rejects for an error. */
  async ask<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    const asked = request(new URL(path, this.server), {
      method,
      agent: this.agent,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': contentType(method) },
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const text = await readText(answer);
    if (answer.statusCode! >= 400) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    return JSON.parse(text) as T;
  }

  close(): void {
    this.agent.destroy();
  }
}

function contentType(method: string): string {
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
}

interface Config {
  readonly clusters: readonly [{ cluster: { server: string; 'certificate-authority': string } }];
  readonly users: readonly [{ user: { token: string } }];
}
