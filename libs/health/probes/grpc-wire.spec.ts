import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeResponse, encodeRequest } from './grpc-wire.js';

function frame(...message: number[]): Buffer {
  return Buffer.from([0, 0, 0, 0, message.length, ...message]);
}

describe('messages of grpc.health.v1', () => {
  it.each([
    ['', '0000000000'],
    ['api', '00000000050a03617069'],
  ])('asks for "%s"', (service, bytes) => expect(encodeRequest(service).toString('hex')).toBe(bytes));

  it('asks for a long name', () => {
    const request = encodeRequest('x'.repeat(300));
    expect([...request.subarray(0, 8)]).toEqual([0, 0, 0, 1, 47, 0x0a, 0xac, 0x02]);
    expect(request).toHaveLength(8 + 300);
  });

  it.each([
    ['nothing, which is the default', [], 'UNKNOWN'],
    ['1', [0x08, 1], 'SERVING'],
    ['2', [0x08, 2], 'NOT_SERVING'],
    ['3', [0x08, 3], 'SERVICE_UNKNOWN'],
    ['a later number', [0x08, 0xff, 0x01], 'UNKNOWN'],
    ['the last of two', [0x08, 2, 0x08, 1], 'SERVING'],
    ['unknown fields', [0x12, 2, 8, 2, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x25, 1, 2, 3, 4, 0x28, 2, 0x08, 1], 'SERVING'],
  ])('understands %s', (_, message, status) => expect(decodeResponse(frame(...message))).toBe(status));

  it.each([
    ['too short', Buffer.from([0, 0, 0])],
    ['compressed', Buffer.from([1, 0, 0, 0, 0])],
    ['of another length', Buffer.from([0, 0, 0, 0, 3, 0x08, 1])],
    ['a group', frame(0x0b)],
    ['a number without end', frame(0x08, ...Array<number>(11).fill(0xff))],
    ['a number cut short', frame(0x08, 0x80)],
    ['a text cut short', frame(0x08, 1, 0x12, 0xff, 0x7f)],
    ['a fixed number cut short', frame(0x08, 1, 0x11, 1)],
    ['field 0', frame(0x08, 1, 0, 5)],
    ['a field above all numbers', frame(0x88, 0x80, 0x80, 0x80, 0x10, 1)],
  ])('does not take what is %s', (_, bytes) => expect(() => decodeResponse(bytes)).toThrow());

  it('takes or throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          decodeResponse(frame(...bytes));
        } catch (error) {
          expect((error as Error).message).toBe('not a HealthCheckResponse');
        }
      }),
    );
  });
});
