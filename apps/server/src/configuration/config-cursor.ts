import { pause, type ConfigEntry, type ConfigKey, type DocumentKey } from '#core';
import type { Configuration } from '#configuration';
import { presentChange } from '../api/v1/presenters/config.js';
import { Frame, type Cursor } from '../streams/index.js';

const RETRY_MS = 1_000;

/** The bytes of a version, made once for all who get it. */
const frames = new WeakMap<ConfigEntry, Frame>();

/**
 * One reader's place in the versions of a document: it is told the one that follows, then that which follows that
 * one. Nothing is kept for a slow reader but one version, since the registry keeps them.
 */
export class ConfigCursor implements Cursor {
  private readonly closing = new AbortController();
  private ready: Frame | undefined;
  private looking = false;
  private readonly unsubscribe: () => void;

  /** @param told The version that the reader has; undefined: it begins with the newest. */
  constructor(
    private readonly configuration: Configuration,
    private readonly key: ConfigKey,
    private readonly document: DocumentKey,
    private told: number | undefined,
    private readonly news: () => void,
  ) {
    this.unsubscribe = configuration.view.subscribe((changed) => {
      if (changed === key) void this.look();
    });
    void this.look();
  }

  get id(): string | undefined {
    return this.ready || this.looking || this.told === undefined ? undefined : String(this.told);
  }

  next(): readonly Frame[] | undefined {
    const { ready } = this;
    if (!ready) return undefined;
    this.ready = undefined;
    void this.look();
    return [ready];
  }

  close(): void {
    this.unsubscribe();
    this.closing.abort();
  }

  /** Finds what the reader is to be told next, until it is found or there is nothing. */
  private async look(): Promise<void> {
    if (this.looking || this.ready) return;
    this.looking = true;
    // The reader is not there before its constructor has returned.
    await Promise.resolve();
    const { signal } = this.closing;
    while (!signal.aborted && !this.ready && this.isBehind) {
      try {
        this.ready = await this.find(signal);
      } catch {
        await pause(RETRY_MS, signal);
      }
    }
    this.looking = false;
    if (this.ready && !signal.aborted) this.news();
  }

  private get isBehind(): boolean {
    return this.told !== (this.configuration.view.get(this.key)?.version ?? 0);
  }

  private async find(signal: AbortSignal): Promise<Frame | undefined> {
    const { configuration, key, told } = this;
    let newest = configuration.view.get(key);
    if (told === undefined) return this.tell('config', newest);
    // Somebody who comes from another replica may have seen more than this one.
    if (told > (newest?.version ?? 0)) newest = await configuration.view.read(key, signal);
    if (told === (newest?.version ?? 0)) return undefined;
    const next = newest?.previous === told ? newest : await configuration.successor(key, told, signal);
    return next ? this.tell('config', next) : this.tell('resync', newest);
  }

  private tell(event: 'config' | 'resync', entry: ConfigEntry | undefined): Frame {
    this.told = entry?.version ?? 0;
    const known = event === 'config' && entry ? frames.get(entry) : undefined;
    if (known) return known;
    const content = { event, ...presentChange(this.document, entry) };
    const frame = new Frame(event, JSON.stringify(content), String(this.told));
    if (event === 'config' && entry) frames.set(entry, frame);
    return frame;
  }
}
