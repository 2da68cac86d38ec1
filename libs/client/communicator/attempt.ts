import type { Instance } from '../instance.js';
import { CallResponse, payloadOf, type Call } from './call.js';

/** How much time is left for it, milliseconds: whoever calls on in turn need not take longer. */
const DEADLINE_HEADER = 'x-deadline-ms';

/** The caller does not want the answer any more: nobody has failed. */
export class HungUpError extends Error {}

/** One request to one instance, read to its end within the time. Rejects with why there is no answer. */
export async function attempt(
  call: Call,
  instance: Instance,
  timeoutMs: number,
  number: number,
): Promise<CallResponse> {
  const ended = new AbortController();
  const late = () => ended.abort(new Error(`no answer within ${Math.round(timeoutMs)} ms`));
  const timer = setTimeout(late, timeoutMs);
  const gone = () => ended.abort(call.signal?.reason);
  call.signal?.addEventListener('abort', gone, { once: true });
  const { body, type } = payloadOf(call);
  try {
    const response = await fetch(`${instance.url.replace(/\/$/, '')}${call.path}`, {
      method: call.method ?? 'GET',
      headers: {
        ...(type && { 'content-type': type }),
        [DEADLINE_HEADER]: String(Math.floor(timeoutMs)),
        ...call.headers,
      },
      body,
      redirect: 'manual',
      signal: ended.signal,
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return new CallResponse(response.status, response.headers, bytes, instance.serviceId, number);
  } catch (error) {
    if (call.signal?.aborted) throw new HungUpError('the caller has hung up', { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
    call.signal?.removeEventListener('abort', gone);
  }
}
