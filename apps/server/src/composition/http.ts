import type { Provider } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import type { Logger } from '#core';
import { OpenApi } from '../docs/openapi.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { SchemaPipe } from '../http/schema.pipe.js';
import { Readiness } from '../own-health/readiness.js';
import type { Settings } from '../settings/index.js';
import { Certificates } from '../tls/certificates.js';
import { LOGGER, SETTINGS } from '../tokens.js';

/** How requests are read and mistakes answered. */
export const http: Provider[] = [
  {
    provide: Certificates,
    inject: [SETTINGS, LOGGER],
    useFactory: ({ server }: Settings, logger: Logger): Promise<Certificates> | undefined =>
      server.tls && Certificates.open(server.tls, logger),
  },
  Readiness,
  OpenApi,
  { provide: APP_PIPE, useClass: SchemaPipe },
  { provide: APP_FILTER, inject: [LOGGER], useFactory: (logger: Logger) => new ProblemFilter(logger) },
];
