import { join } from 'node:path';
import { goPrograms } from './go-program.js';
import { getJson } from './http.js';
import type { ServerKind } from './kind.js';
import { freePort } from './ports.js';
import { executable } from './program.js';
import { Server } from './server.js';

const { etcd: program } = goPrograms({
  name: 'etcd',
  module: 'go.etcd.io/etcd/server/v3',
  programs: { etcd: 'go.etcd.io/etcd/server/v3' },
  minutes: 1,
});

export const etcd = {
  name: 'etcd',
  variable: 'TEST_ETCD_URL',
  programs: [program],
  start: () =>
    Server.start('etcd', async (folder) => {
      const address = `http://127.0.0.1:${await freePort()}`;
      const peers = `http://127.0.0.1:${await freePort()}`;
      return {
        program: executable(program),
        args: [
          `--data-dir=${join(folder, 'data')}`,
          `--listen-client-urls=${address}`,
          `--advertise-client-urls=${address}`,
          `--listen-peer-urls=${peers}`,
          `--initial-advertise-peer-urls=${peers}`,
          `--initial-cluster=default=${peers}`,
        ],
        address,
        ready: async () => {
          await getJson(`${address}/health`);
        },
      };
    }),
} satisfies ServerKind;
