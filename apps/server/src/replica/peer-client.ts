import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import type { ServiceInstance } from '#core';

/** Where another replica is reached. */
export type Peer = Pick<ServiceInstance, 'serviceId' | 'address' | 'port'>;

export interface PeerAnswer {
  readonly status: number;
  readonly body: string;
}

export interface PeerRequest {
  readonly method?: 'GET' | 'POST';
  /** After the replica's own, `/internal/replicas/{id}`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The deadline among the reasons to give up. */
  readonly signal: AbortSignal;
}

/** Connections at a time to one replica; what is more waits, no longer than its deadline. */
const CONNECTIONS = 16;
/** Of all the instances of a large service. */
const MAX_ANSWER_BYTES = 16 * 1_024 * 1_024;

/** Asks other replicas over connections that are kept. Its owner closes it. */
export class PeerClient {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

  /** Rejects when there is no whole answer. */
  async ask(peer: Peer, { method = 'GET', path, headers, signal }: PeerRequest): Promise<PeerAnswer> {
    const { serviceId, address: host, port } = peer;
    const full = `/internal/replicas/${encodeURIComponent(serviceId)}${path}`;
    const outgoing = request({ agent: this.agent, host, port, method, path: full, headers, signal }).end();
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    // What goes wrong from here on, the answer tells too.
    outgoing.on('error', () => undefined);
    return { status: answer.statusCode!, body: await read(answer) };
  }

  close(): void {
    this.agent.destroy();
  }
}

async function read(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
