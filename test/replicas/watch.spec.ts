import { afterEach, describe, it } from '@jest/globals';
import { endProcesses } from '../support/process.js';
import { watchersAgree } from '../support/watch-property.js';
import { Proxy } from '../support/proxy.js';
import { TestServer } from '../support/server.js';
import { REGISTRIES } from './support/registries.js';

/** More by SOAK=1, or by a number. */
const RUNS = Number(process.env.WATCH_RUNS ?? (process.env.SOAK ? 60 : 4));
const PER_RUN_MS = 60_000;

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await endProcesses();
});

describe.each(REGISTRIES)('watchers of two replicas on $type', (registry) => {
  it(
    'know what there is, through outages too, whichever replica they come back to',
    async () => {
      const way = await Proxy.to(registry.port());
      ends.push(() => way.close());
      const environment = await registry.environment(way.port);
      const servers = [];
      for (let i = 0; i < 2; i++) {
        const server = await TestServer.start(environment);
        ends.push(() => server.stop());
        servers.push(server);
      }
      const outage = { begin: () => way.cut(), end: () => way.mend() };
      await watchersAgree({ servers, outage }, RUNS);
    },
    (RUNS + 1) * PER_RUN_MS,
  );
});
