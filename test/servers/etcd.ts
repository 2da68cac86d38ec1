import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
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

interface Member {
  readonly name: string;
  /** Where it speaks to the other members. */
  readonly peers: string;
}

interface MemberOptions {
  readonly args?: readonly string[];
  /** `https` needs certificates among the arguments. */
  readonly scheme?: 'http' | 'https';
}

/** A member of a cluster, of which it may be the only one. */
export class Etcd {
  private constructor(
    readonly server: Server,
    private readonly data: string,
  ) {}

  /** One that is a cluster of its own. */
  static async start(options: MemberOptions = {}): Promise<Etcd> {
    const alone = async () => [await member('alone')];
    return Etcd.join('alone', alone, options);
  }

  static async startCluster(size: number): Promise<readonly Etcd[]> {
    const names = Array.from({ length: size }, (_, i) => `member-${i}`);
    const members = await Promise.all(names.map(member));
    return Promise.all(names.map((name) => Etcd.join(name, async () => members, {})));
  }

  /** What happens meanwhile is undone: a backup of before is restored. It starts again before and after. */
  async undoing(meanwhile: () => Promise<void>): Promise<void> {
    const backup = await mkdtemp(join(tmpdir(), 'service-discovery-etcd-'));
    try {
      await this.server.kill();
      await cp(this.data, backup, { recursive: true });
      await this.server.restart();
      await meanwhile();
      await this.server.kill();
      await rm(this.data, { recursive: true });
      await cp(backup, this.data, { recursive: true });
      await this.server.restart();
    } finally {
      await rm(backup, { recursive: true });
    }
  }

  private static async join(
    name: string,
    membersOf: () => Promise<readonly Member[]>,
    { args = [], scheme = 'http' }: MemberOptions,
  ): Promise<Etcd> {
    let data = '';
    const server = await Server.start('etcd', async (folder) => {
      data = join(folder, 'data');
      const address = `${scheme}://127.0.0.1:${await freePort()}`;
      const metrics = `http://127.0.0.1:${await freePort()}`;
      const members = await membersOf();
      const { peers } = members.find((each) => each.name === name)!;
      return {
        program: executable(program),
        args: [
          `--name=${name}`,
          `--data-dir=${data}`,
          `--listen-client-urls=${address}`,
          `--advertise-client-urls=${address}`,
          `--listen-metrics-urls=${metrics}`,
          `--listen-peer-urls=${peers}`,
          `--initial-advertise-peer-urls=${peers}`,
          `--initial-cluster=${members.map((each) => `${each.name}=${each.peers}`).join(',')}`,
          ...args,
        ],
        address,
        ready: async () => {
          await getJson(`${metrics}/health`);
        },
      };
    });
    return new Etcd(server, data);
  }
}

async function member(name: string): Promise<Member> {
  return { name, peers: `http://127.0.0.1:${await freePort()}` };
}

export const etcd = {
  name: 'etcd',
  variable: 'TEST_ETCD_URL',
  programs: [program],
  start: async () => (await Etcd.start()).server,
} satisfies ServerKind;
