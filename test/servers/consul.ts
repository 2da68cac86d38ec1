import { join } from 'node:path';
import { goPrograms } from './go-program.js';
import { getJson } from './http.js';
import type { ServerKind } from './kind.js';
import { freePort } from './ports.js';
import { executable } from './program.js';
import { Server } from './server.js';

const { consul: program } = goPrograms({
  name: 'consul',
  module: 'github.com/hashicorp/consul',
  programs: { consul: 'github.com/hashicorp/consul' },
  minutes: 5,
});

export const consul = {
  name: 'consul',
  variable: 'TEST_CONSUL_URL',
  programs: [program],
  start: () =>
    Server.start('consul', async (folder) => {
      const http = await freePort();
      const address = `http://127.0.0.1:${http}`;
      return {
        program: executable(program),
        args: [
          'agent',
          '-server',
          '-bootstrap-expect=1',
          '-node=agent-1',
          '-bind=127.0.0.1',
          '-client=127.0.0.1',
          `-data-dir=${join(folder, 'data')}`,
          `-http-port=${http}`,
          `-server-port=${await freePort()}`,
          `-serf-lan-port=${await freePort()}`,
          '-serf-wan-port=-1',
          `-dns-port=${await freePort()}`,
          '-grpc-port=-1',
          '-grpc-tls-port=-1',
          // The least time until a leader is elected.
          '-hcl=performance { raft_multiplier = 1 }',
          '-hcl=disable_update_check = true',
        ],
        address,
        // The agent's own registration is the first thing that a leader writes.
        ready: async () => {
          const nodes = (await getJson(`${address}/v1/catalog/service/consul`)) as unknown[];
          if (nodes.length === 0) throw new Error('no leader yet');
        },
      };
    }),
} satisfies ServerKind;
