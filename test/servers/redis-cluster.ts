import { freePort } from './ports.js';
import { asOperator, DURABLE, launch, portOf } from './redis.js';
import { Server } from './server.js';
import { until } from '../support/until.js';

const SLOTS = 16_384;
const MASTERS = 3;
/** How long they may take to find each other. The machine may be busy. */
const SETTLE_MS = 60_000;

/** A Redis Cluster of three masters with a replica each, which takes over when its master does not answer for a second. */
export class RedisCluster {
  private constructor(private readonly nodes: readonly Server[]) {}

  static async start(): Promise<RedisCluster> {
    const nodes = await Promise.all(Array.from({ length: 2 * MASTERS }, () => startNode()));
    const masters = nodes.slice(0, MASTERS);
    const replicas = nodes.slice(MASTERS);
    for (const node of nodes.slice(1)) {
      const [, bus] = await asOperator(node, (client) => client.config('GET', 'cluster-port'));
      await asOperator(nodes[0]!, (client) => client.call('CLUSTER', 'MEET', '127.0.0.1', portOf(node), bus!));
    }
    for (const [i, master] of masters.entries()) {
      const [from, to] = [i, i + 1].map((third) => Math.ceil((SLOTS * third) / MASTERS)) as [number, number];
      await asOperator(master, (client) => client.cluster('ADDSLOTSRANGE', from, to - 1));
      const id = await asOperator(master, (client) => client.cluster('MYID'));
      // As soon as it has heard of that one.
      await until(() => joins(replicas[i]!, id), SETTLE_MS);
    }
    for (const node of nodes) await until(() => says(node, 'cluster', 'cluster_state:ok'), SETTLE_MS);
    for (const node of replicas) await until(() => says(node, 'replication', 'master_link_status:up'), SETTLE_MS);
    return new RedisCluster(nodes);
  }

  get address(): string {
    return `redis+cluster://${this.nodes.map((each) => `127.0.0.1:${portOf(each)}`).join(',')}`;
  }

  /** The master that this key lies on. */
  async masterOf(key: string): Promise<Server> {
    for (const node of this.nodes) {
      // A replica says where the master is, and so does every other master.
      const has = await asOperator(node, (client) => client.exists(key)).then(
        () => true,
        () => false,
      );
      if (has) return node;
    }
    throw new Error(`nobody has ${key}`);
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((each) => each.stop()));
  }
}

async function joins(replica: Server, master: string): Promise<boolean> {
  return asOperator(replica, (client) => client.cluster('REPLICATE', master)).then(
    () => true,
    () => false,
  );
}

async function says(node: Server, section: 'cluster' | 'replication', text: string): Promise<boolean> {
  const info = await asOperator(node, (client) =>
    section === 'cluster' ? client.cluster('INFO') : client.info(section),
  );
  return info.includes(text);
}

function startNode(): Promise<Server> {
  return Server.start('redis', async (folder) => {
    const [port, bus] = [await freePort(), await freePort()];
    return launch(folder, port, {
      port: `${port}`,
      ...DURABLE,
      'cluster-enabled': 'yes',
      'cluster-port': `${bus}`,
      'cluster-node-timeout': '1000',
    });
  });
}
