import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import type { ServiceInstance } from '#core';

/** Where another replica is reached. */
export type Peer = Pick<ServiceInstance, 'serviceId' | 'address' | 'port'>;

/**
 * What replicas ask each other, and over how many connections at a time to one of them: what is more waits,
 * no longer than its deadline. Apart, so that a check that takes its time holds up nothing else.
 */
const QUESTIONS = {
  here: { method: 'GET', connections: 1 },
  seen: { method: 'GET', connections: 16 },
  check: { method: 'POST', connections: 256 },
} as const;
type Question = keyof typeof QUESTIONS;

export interface PeerAnswer {
  readonly status: number;
  readonly body: string;
}

/** Of all the instances of a large service. */
const MAX_ANSWER_BYTES = 16 * 1_024 * 1_024;

/** Asks other replicas over connections that are kept. Its owner closes it. */
export class PeerClient {
  private readonly agents = new Map(
    Object.entries(QUESTIONS).map(([question, { connections }]) => [
      question,
      new Agent({ keepAlive: true, maxSockets: connections }),
    ]),
  );

  /** @param signal With the deadline among its reasons. Rejects when there is no whole answer. */
  async ask(
    { serviceId, address: host, port }: Peer,
    question: Question,
    { query = {}, headers, signal }: PeerRequest,
  ): Promise<PeerAnswer> {
    const { method } = QUESTIONS[question];
    const path = `/internal/replicas/${encodeURIComponent(serviceId)}/${question}?${new URLSearchParams(query).toString()}`;
    const outgoing = request({ agent: this.agents.get(question), host, port, method, path, headers, signal }).end();
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    // What goes wrong from here on, the answer tells too.
    outgoing.on('error', () => undefined);
    return { status: answer.statusCode!, body: await read(answer) };
  }

  close(): void {
    for (const agent of this.agents.values()) agent.destroy();
  }
}

export interface PeerRequest {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
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
