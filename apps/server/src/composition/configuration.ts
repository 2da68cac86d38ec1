import type { Provider } from '@nestjs/common';
import { ConfigView, Configuration } from '#configuration';
import type { Logger, RegistryBackend } from '#core';
import { ConfigAnswers } from '../configuration/answers.js';
import { ConfigWatch } from '../configuration/config-watch.js';
import { Documents } from '../configuration/documents.js';
import { Deadlines, WRITE_DEADLINE_MS } from '../deadlines.js';
import { Streams } from '../streams/index.js';
import { BACKEND, LOGGER } from '../tokens.js';

/** Services' configuration. */
export const configuration: Provider[] = [
  {
    provide: Configuration,
    inject: [BACKEND, LOGGER],
    useFactory: ({ configStore }: RegistryBackend, logger: Logger): Configuration | undefined =>
      configStore && new Configuration(configStore, new ConfigView(configStore, logger)),
  },
  {
    provide: Documents,
    inject: [BACKEND, Configuration],
    useFactory: (backend: RegistryBackend, configuration: Configuration | undefined) =>
      new Documents(backend, configuration, new Deadlines(WRITE_DEADLINE_MS)),
  },
  {
    provide: ConfigWatch,
    inject: [Documents, Streams],
    useFactory: (documents: Documents, streams: Streams) => new ConfigWatch(documents, streams),
  },
  {
    provide: ConfigAnswers,
    inject: [Documents],
    useFactory: (documents: Documents) => new ConfigAnswers(documents),
  },
];
