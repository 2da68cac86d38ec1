import type { DocumentKey } from '#core';
import type { Channel, Streams } from '../streams/index.js';
import { ConfigCursor } from './config-cursor.js';
import type { Documents } from './documents.js';

/** Tells readers each version of a document, in order. */
export class ConfigWatch {
  constructor(
    private readonly documents: Documents,
    private readonly streams: Streams,
  ) {}

  /** @throws Problem, BackendError when there is nothing to watch. */
  check(document: DocumentKey): void {
    this.documents.watched(document);
  }

  /** @param since The version that somebody has who comes back. */
  follow(channel: Channel, document: DocumentKey, since: number | undefined): void {
    const { configuration, key } = this.documents.watched(document);
    this.streams.add(channel, (news) => new ConfigCursor(configuration, key, document, since, news));
  }
}
