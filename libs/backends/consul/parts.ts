import type { Logger, Watches } from '#core';
import type { ConsulClient } from './client.js';
import type { ForeignInstances } from './foreign.js';
import type { Layout } from './layout.js';
import type { View } from './view.js';
import type { Writer } from './writer.js';

/** What the backend is made of, as its parts see each other. */
export interface Parts {
  readonly client: ConsulClient;
  readonly layout: Layout;
  readonly view: View;
  readonly foreign: ForeignInstances;
  readonly writer: Writer;
  readonly watches: Watches;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
