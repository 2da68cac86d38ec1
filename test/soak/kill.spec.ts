import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { HttpClient } from '../support/http-client.js';
import { endProcesses, ServerProcess, temporaryFolder } from '../support/process.js';
import { Writers } from '../support/writers.js';

/** More by SOAK_ROUNDS=100 npm run test:soak. */
const ROUNDS = Number(process.env.SOAK_ROUNDS ?? 10);

afterEach(endProcesses);

describe('kill -9 under registrations at full speed, many times', () => {
  it(
    `loses nothing that was acknowledged in ${ROUNDS} rounds`,
    async () => {
      const DATA_DIR = await temporaryFolder();
      const writers = new Writers();
      for (let round = 0; round < ROUNDS; round++) {
        const server = ServerProcess.spawn({ DATA_DIR });
        // Now and then it dies while it starts.
        if (round % 5 === 4) {
          await server.logged(({ msg }) => msg === 'the view follows the registry', 'the view');
        } else {
          await server.logged(({ msg }) => msg === 'serving', 'serving');
          const http = new HttpClient(server.url);
          expect(await writers.violations(http)).toEqual([]);
          await http.close();
          const written = writers.writeUntilAway(server.url, `round-${round}`);
          await sleep(100 + Math.random() * 3_000);
          server.signal('SIGKILL');
          await written;
        }
        await server.end('SIGKILL');
      }
      const server = await ServerProcess.start({ DATA_DIR });
      const http = new HttpClient(server.url);
      expect(await writers.violations(http)).toEqual([]);
      await http.close();
    },
    (ROUNDS + 1) * 30_000,
  );
});
