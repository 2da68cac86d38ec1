import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { badRequest } from '../http/problem.js';
import type { Upgrade } from '../http/upgrade.js';
import type { Channel, Farewell } from './channel.js';
import { goodbye, type Frame } from './frame.js';

/** Readers have nothing to say: what they do say is not heard, and must be short. */
const MAX_PAYLOAD_BYTES = 1_024;

const handshakes = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  maxPayload: MAX_PAYLOAD_BYTES,
  // Compression would be a reader's own, and the bytes are everybody's.
  perMessageDeflate: false,
});

const TEXT = { binary: false };

/** RFC 6455, section 7.4.1, and what IANA has registered since. */
const CLOSE_CODES: Readonly<Record<Farewell, number>> = { stopping: 1012, slow: 1013, unauthorized: 3000 };

/** A WebSocket: each event is a text message. */
export class WebSocketChannel implements Channel {
  /** The last ping was not answered. */
  private silent = false;

  private constructor(
    private readonly webSocket: WebSocket,
    private readonly socket: Socket,
  ) {
    webSocket.on('pong', () => (this.silent = false));
    webSocket.on('error', () => undefined);
  }

  /**
   * @param headers Headers of the answer beside those of the handshake.
   * @throws Problem 400 for a handshake that is none.
   */
  static accept(
    request: IncomingMessage,
    upgrade: Upgrade,
    headers: Readonly<Record<string, string>>,
  ): WebSocketChannel {
    const { socket, head } = upgrade;
    let accepted: WebSocket | undefined;
    let refusal = 'the caller has gone';
    const refuse = (error: Error) => (refusal = error.message);
    // In place of an answer of its own; all of it happens before `handleUpgrade` returns.
    const addHeaders = (lines: string[]) => lines.push(...linesOf(headers));
    handshakes.once('wsClientError', refuse).once('headers', addHeaders);
    handshakes.handleUpgrade(request, socket, head, (webSocket) => (accepted = webSocket));
    handshakes.removeListener('wsClientError', refuse).removeListener('headers', addHeaders);
    if (!accepted) throw badRequest(`this is no handshake of a WebSocket: ${refusal}`);
    upgrade.take();
    return new WebSocketChannel(accepted, socket);
  }

  get unsent(): number {
    return this.webSocket.bufferedAmount;
  }

  send(frames: readonly Frame[]): void {
    this.socket.cork();
    for (const { message } of frames) this.webSocket.send(message, TEXT);
    this.socket.uncork();
  }

  beat(): void {
    if (this.silent) {
      this.cut();
      return;
    }
    this.silent = true;
    this.webSocket.ping();
  }

  end(farewell: Farewell): void {
    this.send([goodbye(farewell)]);
    this.webSocket.close(CLOSE_CODES[farewell], farewell);
  }

  cut(): void {
    this.webSocket.terminate();
  }

  onDrain(drained: () => void): void {
    this.socket.on('drain', drained);
  }

  onClose(closed: () => void): void {
    this.webSocket.once('close', closed);
  }
}

function linesOf(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
}
