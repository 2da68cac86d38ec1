// The two messages of grpc.health.v1 in the encoding of Protocol Buffers, framed as gRPC frames them.
// Sources: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, doc/health-checking.md,
// https://protobuf.dev/programming-guides/encoding.

/** `HealthCheckResponse.ServingStatus`, by number. */
const SERVING_STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;
export type ServingStatus = (typeof SERVING_STATUSES)[number];

const FRAME_HEADER_BYTES = 5;
const MAX_FIELD = 2 ** 29 - 1;
const VARINT = 0;
const LENGTH_DELIMITED = 2;
/** Bytes of the fixed wire types. */
const FIXED: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

/** A `HealthCheckRequest` in its frame. */
export function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
  const frame = Buffer.alloc(FRAME_HEADER_BYTES);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

/**
 * The status in the frame of a `HealthCheckResponse`.
 * @throws Error when it is something else.
 */
export function decodeResponse(frame: Buffer): ServingStatus {
  if (frame.length < FRAME_HEADER_BYTES || frame[0] !== 0) throw new Error('not an uncompressed gRPC message');
  const message = frame.subarray(FRAME_HEADER_BYTES);
  if (message.length !== frame.readUInt32BE(1)) throw new Error('not one whole gRPC message');
  return SERVING_STATUSES[statusNumber(message)] ?? 'UNKNOWN';
}

/** Field 1, and nothing of the fields that later versions may add. The last one counts; none at all is 0. */
function statusNumber(message: Buffer): number {
  let status = 0;
  let at = 0;
  while (at < message.length) {
    const tag = read();
    const type = tag % 8;
    const field = Math.floor(tag / 8);
    if (field === 0 || field > MAX_FIELD) throw new Error('not a HealthCheckResponse');
    if (type === VARINT) {
      const value = read();
      if (field === 1) status = value;
    } else if (type === LENGTH_DELIMITED) {
      const length = read();
      at += length;
    } else if (FIXED[type]) at += FIXED[type];
    else throw new Error('not a HealthCheckResponse');
  }
  if (at > message.length) throw new Error('not a HealthCheckResponse');
  return status;

  function read(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error('not a HealthCheckResponse');
  }
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >> 7)];
}
