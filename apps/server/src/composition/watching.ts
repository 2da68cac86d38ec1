import type { Provider } from '@nestjs/common';
import { Catalog } from '#catalog';
import type { Logger } from '#core';
import type { Settings } from '../settings/index.js';
import { Sessions } from '../auth/sessions.js';
import { trustIn } from '../http/trusted-proxies.js';
import { Reception, StreamQuota, Streams } from '../streams/index.js';
import { LOGGER, SETTINGS } from '../tokens.js';
import { Tickets } from '../watch/tickets.js';
import { Watch } from '../watch/watch.js';

/** Streams of what changes, and who may open one without a header. */
export const watching: Provider[] = [
  {
    provide: Streams,
    inject: [SETTINGS, LOGGER],
    useFactory: ({ server, streams }: Settings, logger: Logger) =>
      new Streams({ max: server.maxWaiters, heartbeatMs: streams.heartbeatMs, logger }),
  },
  {
    provide: Watch,
    inject: [Catalog, Streams],
    useFactory: (catalog: Catalog, streams: Streams) => new Watch(catalog, streams),
  },
  {
    provide: Tickets,
    inject: [SETTINGS],
    useFactory: ({ server }: Settings) => new Tickets(trustIn(server.trustedProxies)),
  },
  {
    provide: Reception,
    inject: [Streams, Tickets, Sessions, SETTINGS],
    useFactory: (streams: Streams, tickets: Tickets, sessions: Sessions, { server }: Settings) => {
      const { maxStreamsPerCaller: max } = server;
      return new Reception(streams, tickets, sessions, max === undefined ? undefined : new StreamQuota(max));
    },
  },
];
