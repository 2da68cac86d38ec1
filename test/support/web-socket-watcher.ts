import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';
import { within } from './process.js';
import { Told, type WatchEvent } from './told.js';

export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** Somebody who watches over a WebSocket. */
export class WebSocketWatcher extends Told {
  readonly closed: Promise<Closing>;

  private constructor(readonly webSocket: WebSocket) {
    super();
    webSocket.on('message', (data: Buffer, binary) => {
      if (binary) throw new Error('a message that is no text');
      this.take(JSON.parse(data.toString()) as WatchEvent);
      this.tell();
    });
    webSocket.on('error', () => undefined);
    this.closed = new Promise((resolve) =>
      webSocket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    );
    void this.closed.then(() => this.end());
  }

  /** @param path As the router has it, below /api/v1/. */
  static async open(url: string, path: string, options: ClientOptions = {}): Promise<WebSocketWatcher> {
    const watcher = new WebSocketWatcher(new WebSocket(`${url.replace('http', 'ws')}/api/v1/${path}`, options));
    await within(once(watcher.webSocket, 'open'), 'a WebSocket');
    return watcher;
  }

  async close(): Promise<void> {
    this.webSocket.close();
    await within(this.closed, 'the end of the WebSocket');
  }
}
