import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { SECURITY_HEADERS } from '../http/security-headers.js';
import type { Channel, Farewell } from './channel.js';
import { goodbye, type Frame } from './frame.js';

/**
 * How long a reader waits before it comes again, so that all who lose a server do not come to the next
 * one together: milliseconds, at least and at most.
 */
const RETRY_MS = [250, 1_500] as const;

export const EVENT_STREAM = 'text/event-stream';

const HEAD = {
  ...SECURITY_HEADERS,
  'Content-Type': `${EVENT_STREAM}; charset=utf-8`,
  'Cache-Control': 'no-store',
  // nginx would gather what is meant to be seen at once.
  'X-Accel-Buffering': 'no',
  Connection: 'close',
};

/** Server-sent events (HTML, section 9.2): an answer that ends with its connection. */
export class SseChannel implements Channel {
  /** Not the answer's, which has none while it waits behind another one. */
  private readonly socket: Socket;

  /** @param headers Headers of the answer beside those of a stream. */
  constructor(
    private readonly response: ServerResponse,
    headers: Readonly<Record<string, string>>,
  ) {
    this.socket = response.req.socket;
    // The connection ends with it, so nothing needs to be put in chunks for each reader.
    response.removeHeader('Transfer-Encoding');
    response.writeHead(200, { ...HEAD, ...headers });
    // Signs of life and the wait for whoever takes nothing are the stream's own.
    this.socket.setTimeout(0);
    response.write(`retry: ${between(...RETRY_MS)}\n\n`);
  }

  get unsent(): number {
    return this.response.writableLength;
  }

  send(frames: readonly Frame[]): void {
    // Past the answer, as nothing is put in chunks: its own way would make a task of each write.
    const way = this.response.socket ?? this.response;
    for (const { eventStream } of frames) way.write(eventStream);
  }

  /** A comment, and an id without an event: the reader resumes from there, and sees nothing. */
  beat(id: string): void {
    this.response.write(`: still here\nid: ${id}\n\n`);
  }

  end(farewell: Farewell): void {
    this.response.end(goodbye(farewell).eventStream);
  }

  cut(): void {
    this.socket.destroy();
  }

  onDrain(drained: () => void): void {
    this.socket.on('drain', drained);
  }

  onClose(closed: () => void): void {
    this.socket.once('close', closed);
  }
}

function between(least: number, most: number): number {
  return Math.round(least + Math.random() * (most - least));
}
