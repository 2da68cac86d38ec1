import { EventSource, WebSocket } from 'undici';
import { within } from './process.js';

/** A version as a watch tells it. */
export interface ConfigTold {
  readonly event: 'config' | 'resync';
  readonly service_name: string;
  readonly environment: string;
  readonly version: number;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly deleted?: boolean;
}

/** Somebody who watches a document as a browser does. */
export class ConfigReader {
  readonly told: ConfigTold[] = [];
  private wake: () => void = () => undefined;

  private constructor(readonly close: () => void) {}

  static bySse(url: string, path: string): ConfigReader {
    const source = new EventSource(`${url}/api/v1/config/watch/${path}`);
    const reader = new ConfigReader(() => source.close());
    for (const event of ['config', 'resync']) {
      source.addEventListener(event, (told) => reader.take((told as unknown as { data: string }).data));
    }
    return reader;
  }

  static byWebSocket(url: string, path: string): ConfigReader {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/config/watch/${path}`);
    const reader = new ConfigReader(() => socket.close());
    socket.addEventListener('message', ({ data }) => reader.take(data as string));
    return reader;
  }

  get versions(): number[] {
    return this.told.map(({ version }) => version);
  }

  /** Resolves when the newest version that was told is this one. */
  async until(version: number): Promise<void> {
    while (this.told.at(-1)?.version !== version) {
      await within(new Promise<void>((resolve) => (this.wake = resolve)), `version ${version}`);
    }
  }

  private take(data: string): void {
    this.told.push(JSON.parse(data) as ConfigTold);
    this.wake();
  }
}
