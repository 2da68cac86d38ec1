import type { Instance } from './instances.js';
import { within } from './process.js';

/** An event as its data has it. */
export interface WatchEvent {
  readonly event: string;
  readonly revision: string;
  readonly cause?: string;
  readonly reason?: string;
  readonly source?: string;
  readonly instances?: readonly Instance[];
  readonly instance?: Instance;
  readonly service_name?: string;
  readonly service_id?: string;
}

/** What a watcher has been told, folded into the state that it knows; holds the server to the order of it. */
export abstract class Told {
  readonly events: WatchEvent[] = [];
  /** By service and id. */
  readonly state = new Map<string, Instance>();
  private over = false;
  private readonly listeners = new Set<() => void>();

  /** The first event that fits, come or to come. */
  async event(fits: (event: WatchEvent) => boolean, what: string): Promise<WatchEvent> {
    await this.until(() => this.events.some(fits), what);
    return this.events.find(fits)!;
  }

  /** Resolves when it is so, which only what comes can make it. */
  async until(isSo: () => boolean, what: string): Promise<void> {
    let look!: () => void;
    const found = new Promise<void>((resolve, reject) => {
      look = () => {
        if (isSo()) resolve();
        else if (this.over) reject(new Error(`the stream ended before ${what}`));
      };
      this.listeners.add(look);
      look();
    });
    await within(found, what).finally(() => this.listeners.delete(look));
  }

  names(): string[] {
    return this.events.map(({ event }) => event);
  }

  ids(): string[] {
    return [...this.state.values()].map(({ service_id }) => service_id).sort();
  }

  abstract close(): Promise<void>;

  protected take(event: WatchEvent): void {
    this.events.push(event);
    this.fold(event);
  }

  protected end(): void {
    this.over = true;
    this.tell();
  }

  protected tell(): void {
    for (const listener of [...this.listeners]) listener();
  }

  private fold({ event, instances, instance, service_name, service_id }: WatchEvent): void {
    if (event === 'snapshot' || event === 'resync') {
      this.state.clear();
      for (const each of instances!) this.state.set(`${each.service_name}/${each.service_id}`, each);
    } else if (event === 'upsert') {
      const key = `${instance!.service_name}/${instance!.service_id}`;
      const known = this.state.get(key);
      if (known?.version === instance!.version && known.held === instance!.held)
        throw new Error(`${key} was told twice at version ${known.version}`);
      this.state.set(key, instance!);
    } else if (event === 'remove') {
      this.state.delete(`${service_name}/${service_id}`);
    }
  }
}
