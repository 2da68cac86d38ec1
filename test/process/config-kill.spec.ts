import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from '@jest/globals';
import { ConfigWriters } from '../support/config-writers.js';
import { HttpClient } from '../support/http-client.js';
import { endProcesses, ServerProcess, temporaryFolder, TEST_MS } from '../support/process.js';

const ROUNDS = 4;

afterEach(endProcesses);

it(
  `kill -9 in the middle of writing leaves each document as it was or as it was to be, ${ROUNDS} times`,
  async () => {
    const DATA_DIR = await temporaryFolder();
    const writers = new ConfigWriters('killed');
    for (let round = 0; round <= ROUNDS; round++) {
      const server = await ServerProcess.start({ DATA_DIR });
      const http = new HttpClient(server.url);
      expect(await writers.violations(http)).toEqual([]);
      await http.close();
      if (round === ROUNDS) break;
      const written = writers.writeUntilAway(server.url);
      await sleep(200 + Math.random() * 1_000);
      await server.end('SIGKILL');
      await written;
    }
    expect(writers.acknowledged).toBeGreaterThan(0);
  },
  TEST_MS,
);
