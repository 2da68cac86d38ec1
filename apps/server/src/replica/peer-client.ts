import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import type { ServiceInstance } from '#core';
import { originHeaders } from '../http/request-id.js';
import type { Certificates } from '../tls/certificates.js';

/** Where another replica is reached. */
export type Peer = Pick<ServiceInstance, 'serviceId' | 'address' | 'port' | 'protocol'>;

/** What a replica that speaks TLS says of itself. */
export const HTTPS = 'https';

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
  private readonly plain = agents(http.Agent);
  private readonly secure = agents(https.Agent);

  /** @param certificates Undefined: what another one shows is held against the authorities of Node. */
  constructor(private readonly certificates?: Certificates) {}

  /** @param signal With the deadline among its reasons. Rejects when there is no whole answer. */
  async ask(
    { serviceId, address: host, port, protocol }: Peer,
    question: Question,
    { query = {}, headers, signal }: PeerRequest,
  ): Promise<PeerAnswer> {
    const { method } = QUESTIONS[question];
    const path = `/internal/replicas/${encodeURIComponent(serviceId)}/${question}?${new URLSearchParams(query).toString()}`;
    const options = { host, port, method, path, headers: { ...originHeaders(), ...headers }, signal };
    const outgoing =
      protocol === HTTPS
        ? https.request({ ...options, ...this.certificates?.ofReplicas, agent: this.secure[question] })
        : http.request({ ...options, agent: this.plain[question] });
    const [answer] = (await once(outgoing.end(), 'response')) as [http.IncomingMessage];
    // What goes wrong from here on, the answer tells too.
    outgoing.on('error', () => undefined);
    return { status: answer.statusCode!, body: await read(answer) };
  }

  close(): void {
    for (const agent of [this.plain, this.secure].flatMap(Object.values<http.Agent>)) agent.destroy();
  }
}

function agents<T extends http.Agent>(kind: new (options: http.AgentOptions) => T): Readonly<Record<Question, T>> {
  const entries = Object.entries(QUESTIONS).map(([question, { connections }]) => [
    question,
    new kind({ keepAlive: true, maxSockets: connections }),
  ]);
  return Object.fromEntries(entries) as Record<Question, T>;
}

export interface PeerRequest {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

async function read(answer: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
