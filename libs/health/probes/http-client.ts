import { Agent as HttpAgent, get as getHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, get as getHttps } from 'node:https';
import { isIP } from 'node:net';
import { context, propagation } from '@opentelemetry/api';
import type { AddressGuard } from '#core';
import { decoded } from '../text.js';
import { checkLiteral, hostIn } from './endpoint.js';

const MAX_BODY_BYTES = 65_536;
const MAX_HEADER_BYTES = 16_384;
const HEADERS = { accept: 'application/json, text/*;q=0.9, */*;q=0.5', 'user-agent': 'service-discovery-health' };
/** Idle milliseconds; a server that announces less is believed. */
const KEEP_ALIVE = { keepAlive: true, timeout: 15_000, maxFreeSockets: 4 };

export interface HttpAnswer {
  readonly statusCode: number;
  /** Where a redirect points. */
  readonly location: string | undefined;
  /** The body, or its beginning. */
  readonly text: string;
}

/**
 * One bounded GET to where the guard allows. Redirects are answers like any other. The signal ends it
 * in every phase, connecting included, which is where dead hosts hang: undici (7.30) heeds no signal there.
 */
export class HttpClient {
  private readonly schemes = {
    'http:': { get: getHttp, agent: new HttpAgent(KEEP_ALIVE) },
    'https:': { get: getHttps, agent: new HttpsAgent(KEEP_ALIVE) },
  };

  constructor(private readonly guard: AddressGuard) {}

  async get(url: URL, signal: AbortSignal): Promise<HttpAnswer> {
    const host = hostIn(url);
    checkLiteral(this.guard, host);
    // A name is resolved for every probe: a kept connection would go on asking where it pointed before.
    const response = await this.respond(url, signal, isIP(host) !== 0);
    return {
      statusCode: response.statusCode ?? 0,
      location: response.headers.location,
      text: await beginning(response),
    };
  }

  close(): void {
    for (const { agent } of Object.values(this.schemes)) agent.destroy();
  }

  private respond(url: URL, signal: AbortSignal, keep: boolean): Promise<IncomingMessage> {
    const { get, agent } = this.schemes[url.protocol === 'https:' ? 'https:' : 'http:'];
    const traced: Record<string, string> = {};
    propagation.inject(context.active(), traced);
    const options: RequestOptions = {
      agent: keep && agent,
      lookup: this.guard.lookup,
      maxHeaderSize: MAX_HEADER_BYTES,
      headers: { ...HEADERS, ...traced },
      signal,
    };
    return new Promise((resolve, reject) => {
      const request = get(url, options, resolve);
      request.once('error', (error) => {
        // Its server may close a kept connection just as it is used again, which is no failure of the instance.
        if (request.reusedSocket && !signal.aborted) resolve(this.respond(url, signal, false));
        else reject(error);
      });
      // An answer of 101 is the end, without an error.
      request.once('close', () => reject(new Error('the connection was closed without an answer')));
    });
  }
}

/** What is longer is cut, and the connection with it. */
async function beginning(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_BODY_BYTES) break;
  }
  return decoded(Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES));
}
