import type { PickOptions } from '../discovery/picker.js';

/** What is asked of a service. */
export interface Call extends Pick<PickOptions, 'strategy' | 'filter' | 'key'> {
  readonly service: string;
  /** Below the instance's own path: `/users/1?full=true`. */
  readonly path: string;
  /** GET by default. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless it is text or bytes. */
  readonly body?: unknown;
  /** It may be done twice: of a method that says nothing of itself (POST, PATCH), only with this is it tried again. */
  readonly idempotent?: boolean;
  /**
   * Where an instance has not answered for so long, another one is asked too, and the first good answer counts.
   * Only of what may be done twice; about as long as nearly all answers take.
   */
  readonly hedgeAfterMs?: number;
  /** For the call with all its attempts; less than the policy's. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

/** An answer, read to its end. */
export class CallResponse {
  constructor(
    readonly status: number,
    readonly headers: Headers,
    readonly body: Uint8Array,
    /** Who has answered. */
    readonly serviceId: string,
    readonly attempts: number,
  ) {}

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  text(): string {
    return new TextDecoder().decode(this.body);
  }

  /** @throws SyntaxError */
  json(): unknown {
    return JSON.parse(this.text());
  }
}

const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

export function mayRepeat({ method = 'GET', idempotent }: Call): boolean {
  return idempotent ?? IDEMPOTENT.has(method.toUpperCase());
}

/** The instance's fault, or its state at this moment; what else is below 500 is an answer. */
export function hasFailed(status: number): boolean {
  return status >= 500 || status === 429;
}

/** What to send, and the type of it where the caller has not said. */
export function payloadOf({ body }: Call): { body?: string | Uint8Array; type?: string } {
  if (body === undefined) return {};
  if (typeof body === 'string' || body instanceof Uint8Array) return { body };
  return { body: JSON.stringify(body), type: 'application/json' };
}

/** Milliseconds, of seconds or a date; undefined when it says nothing. */
export function retryAfterOf(headers: Headers): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}
