import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { context, type Context } from '@opentelemetry/api';
import { Backoff, type AddressGuard, type Logger } from '#core';
import { Counts, tracedHeaders } from '#telemetry';
import type { AlertChange } from './alerts.js';

const MAX_QUEUED = 1_000;
const ATTEMPTS = 8;
const DEADLINE_MS = 5_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MOST_MS = 60_000;
/** An answer that may be another one later (RFC 9110, RFC 6585); any other of 4xx stands. */
const TRY_AGAIN: ReadonlySet<number> = new Set([408, 425, 429]);

export interface WebhookOptions {
  readonly url: string;
  readonly secret: string;
  /** Who tells. */
  readonly sender: string;
  readonly guard: AddressGuard;
  readonly logger: Logger;
  readonly retryFirstMs?: number;
}

/** What is to be told, and what it comes of. */
interface Waiting {
  readonly change: AlertChange;
  readonly origin: Context;
}

/**
 * Tells somebody of alerts by HTTP: in order, one after the other, again when that fails. What cannot be told in
 * time is dropped, and said so in the log; of too many that wait, the oldest.
 */
export class Webhook {
  readonly deliveries = new Counts('result');
  private readonly queue: Waiting[] = [];
  private readonly stopping = new AbortController();
  private working: Promise<void> | undefined;

  constructor(private readonly options: WebhookOptions) {}

  send(change: AlertChange): void {
    const origin = context.active();
    if (this.queue.push({ change, origin }) > MAX_QUEUED)
      this.drop(this.queue.shift()!.change, `${MAX_QUEUED} others wait`);
    this.working ??= this.work().finally(() => (this.working = undefined));
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.working;
  }

  private async work(): Promise<void> {
    for (;;) {
      const next = this.queue.shift();
      if (!next || this.stopping.signal.aborted) return;
      await context.with(next.origin, () => this.deliver(next.change));
    }
  }

  private async deliver(change: AlertChange): Promise<void> {
    const { signal } = this.stopping;
    const backoff = new Backoff(this.options.retryFirstMs ?? RETRY_FIRST_MS, RETRY_MOST_MS);
    const id = randomUUID();
    const body = JSON.stringify(this.present(change, id));
    let failure = '';
    for (let attempt = 1; attempt <= ATTEMPTS && !signal.aborted; attempt++) {
      if (attempt > 1) await backoff.pause(signal);
      try {
        const status = await this.post(body, AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]));
        if (status >= 200 && status < 300) {
          this.deliveries.add('ok');
          return;
        }
        failure = `HTTP ${status}`;
        if (status >= 400 && status < 500 && !TRY_AGAIN.has(status)) break;
      } catch (error) {
        failure = (error as Error).message;
      }
    }
    if (!signal.aborted) this.drop(change, failure);
  }

  private present({ name, state, at, serviceName, serviceId, details }: AlertChange, id: string): object {
    return {
      id,
      alert: name,
      state,
      at: new Date(at).toISOString(),
      sender: this.options.sender,
      ...(serviceName !== undefined && { service_name: serviceName }),
      ...(serviceId !== undefined && { service_id: serviceId }),
      ...details,
    };
  }

  private async post(body: string, signal: AbortSignal): Promise<number> {
    const { guard, secret } = this.options;
    const url = new URL(this.options.url);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    // A literal is connected to without a look-up.
    if (isIP(host) !== 0) guard.check(host);
    const time = Math.floor(Date.now() / 1_000);
    const signature = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex');
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      method: 'POST',
      agent: false,
      lookup: guard.lookup,
      signal,
      headers: {
        ...tracedHeaders(),
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'service-discovery',
        'x-service-discovery-signature': `t=${time},v1=${signature}`,
      },
    });
    // Beside the one that is waited for: an error may come after the answer.
    request.on('error', () => undefined).end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.on('error', () => undefined).destroy();
    return response.statusCode!;
  }

  private drop({ name, state, serviceName }: AlertChange, reason: string): void {
    this.deliveries.add('dropped');
    this.options.logger.error({ alert: name, state, serviceName, reason }, 'an alert could not be told by webhook');
  }
}
