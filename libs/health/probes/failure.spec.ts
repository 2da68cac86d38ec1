import { describe, expect, it } from '@jest/globals';
import { failure } from './failure.js';

const running = new AbortController().signal;

function coded(code: string, message = ''): Error {
  return Object.assign(new Error(message), { code });
}

describe('failure of a probe', () => {
  it.each([
    ['its message', new Error('refused'), 'refused'],
    ['its code, where there is no message', coded('ECONNREFUSED'), 'ECONNREFUSED'],
    ['each of several', new AggregateError([coded('ECONNREFUSED', 'first'), new Error('second')]), 'first; second'],
    ['what is no error', 'odd', 'odd'],
  ])('says %s', (_, error, reason) => {
    expect(failure('GET x', error, running)).toEqual({ status: 'critical', output: `GET x: ${reason}` });
  });

  it('says why its signal has aborted rather than what came of it', () => {
    const signal = AbortSignal.abort(new Error('no answer within 5 ms'));
    expect(failure('GET x', coded('ECONNRESET'), signal).output).toBe('GET x: no answer within 5 ms');
  });

  it('is bounded', () => {
    expect(Buffer.byteLength(failure('GET x', new Error('ü'.repeat(5_000)), running).output)).toBeLessThanOrEqual(
      4_096,
    );
  });

  it.each(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'LOOKUP_QUEUED'])(
    'is none of the instance when this host is out of something: %s',
    (code) => {
      expect(() => failure('GET x', coded(code), running)).toThrow();
      expect(() => failure('GET x', new AggregateError([coded(code)]), running)).toThrow();
    },
  );
});
