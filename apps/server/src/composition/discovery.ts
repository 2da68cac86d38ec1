import type { Provider } from '@nestjs/common';
import { Balancer } from '#balancing';
import { Catalog } from '#catalog';
import { AnswerCache } from '../answers/answer-cache.js';
import { Answers } from '../answers/answers.js';
import { Sessions } from '../auth/sessions.js';
import { Discovery } from '../discovery/discovery.js';
import { AnswerTally } from '../metrics/answer-tally.js';
import { ServiceSeries } from '../metrics/service-series.js';
import type { Seams } from '../seams.js';
import type { Settings } from '../settings/index.js';
import { SEAMS, SETTINGS } from '../tokens.js';

/** What answers questions about services, and picks. */
export const discovery: Provider[] = [
  {
    provide: Balancer,
    inject: [SEAMS, SETTINGS],
    useFactory: ({ strategies }: Seams, { balancing }: Settings) =>
      new Balancer({ strategies, defaultStrategy: balancing.defaultStrategy }),
  },
  {
    provide: Discovery,
    inject: [Catalog, Balancer, SETTINGS, ServiceSeries],
    useFactory: (catalog: Catalog, balancer: Balancer, { service }: Settings, { discoveries }: ServiceSeries) =>
      new Discovery(catalog, balancer, service.name, (name) => discoveries.add(name)),
  },
  {
    provide: Answers,
    inject: [Catalog, SETTINGS, AnswerTally, Sessions],
    useFactory: (catalog: Catalog, settings: Settings, tally: AnswerTally, sessions: Sessions) => {
      const cache = new AnswerCache(settings.catalog.answerCacheBytes, (scope) => catalog.revisionOf(scope));
      return new Answers(catalog, cache, tally, sessions);
    },
  },
];
