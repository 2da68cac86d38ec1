import type { IEvent, IWatchRequest, IWatchResponse } from 'etcd3';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { compareVersions, type Version } from '#core';

/** What a watch says: first `begun`, then events, all of a revision together; `progress` when it is asked for. */
export type WatchNews =
  | { readonly kind: 'begun' }
  | { readonly kind: 'events'; readonly events: readonly IEvent[] }
  /** Everything up to this revision has been told. */
  | { readonly kind: 'progress'; readonly revision: Version };

/** The history that a watch was to begin with is gone. */
export class Compacted extends Error {}

/**
 * One watch on the raw stream of the client library, whose own watcher loses events: it moves its revision
 * on before they have come. What waits to be read is bounded, because etcd is kept waiting.
 */
export class WatchStream {
  private failure: Error | undefined;
  private wake: (() => void) | undefined;
  private fragments: IEvent[] = [];

  constructor(
    private readonly stream: ClientDuplexStream<IWatchRequest, IWatchResponse>,
    request: { readonly key: Buffer; readonly range_end: Buffer; readonly start_revision: Version },
  ) {
    const fail = (error: Error) => {
      this.failure ??= error;
      this.wake?.();
    };
    stream.on('error', fail);
    stream.on('end', () => fail(new Error('etcd has ended the watch')));
    stream.on('readable', () => this.wake?.());
    stream.write({ create_request: { ...request, fragment: true } });
  }

  /** Asks for `progress`. etcd does not answer while it is still reading history for this watch. */
  askProgress(): void {
    if (!this.failure) this.stream.write({ progress_request: {} });
  }

  /** Makes `news` end. */
  cancel(error: Error): void {
    this.failure ??= error;
    this.stream.cancel();
    this.wake?.();
  }

  /** All that has come since it was last read; ends by throwing. @throws Compacted, Error */
  async *news(): AsyncGenerator<readonly WatchNews[], never> {
    for (;;) {
      const news = this.read();
      if (news.length > 0) yield news;
      else if (this.failure) throw this.failure;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  private read(): WatchNews[] {
    const news: WatchNews[] = [];
    for (;;) {
      const response = this.stream.read() as IWatchResponse | null;
      if (response === null) return news;
      const said = this.take(response);
      if (said) news.push(said);
    }
  }

  private take(response: IWatchResponse): WatchNews | undefined {
    const { events, fragment, header, created, canceled, cancel_reason: why, compact_revision: compacted } = response;
    if (canceled) {
      const error = compareVersions(compacted, '0') > 0 ? new Compacted(why) : new Error(`watch refused: ${why}`);
      this.cancel(error);
      return undefined;
    }
    if (created) return { kind: 'begun' };
    if (events.length === 0) return { kind: 'progress', revision: header.revision };
    this.fragments.push(...events);
    if (fragment) return undefined;
    const whole = this.fragments;
    this.fragments = [];
    return { kind: 'events', events: whole };
  }
}
