import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './ports.js';
import { asOperator, DURABLE, launch, portOf, startRedis } from './redis.js';
import { Server } from './server.js';
import { until } from '../support/until.js';

/** How long they may take to find each other. The machine may be busy. */
const SETTLE_MS = 60_000;

/** A master, its replica, and three sentinels that make the replica master when it does not answer for a second. */
export class RedisSentinels {
  private constructor(
    readonly master: Server,
    readonly replica: Server,
    private readonly sentinels: readonly Server[],
  ) {}

  static async start(): Promise<RedisSentinels> {
    const master = await startRedis(DURABLE);
    const replica = await startRedis({ ...DURABLE, replicaof: `127.0.0.1 ${portOf(master)}` });
    const sentinels = await Promise.all([1, 2, 3].map(() => startSentinel(portOf(master))));
    for (const sentinel of sentinels) {
      await until(async () => {
        const info = await asOperator(sentinel, (client) => client.info('sentinel'));
        return /name=ours,status=ok,address=\S+,slaves=1,sentinels=3/.test(info);
      }, SETTLE_MS);
    }
    return new RedisSentinels(master, replica, sentinels);
  }

  get address(): string {
    return `redis+sentinel://${this.sentinels.map((each) => `127.0.0.1:${portOf(each)}`).join(',')}/ours`;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, this.replica, this.master].map((each) => each.stop()));
  }
}

function startSentinel(master: number): Promise<Server> {
  return Server.start('redis', async (folder) => {
    const port = await freePort();
    const file = join(folder, 'sentinel.conf');
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor ours 127.0.0.1 ${master} 2`,
      'sentinel down-after-milliseconds ours 1000',
      'sentinel failover-timeout ours 3000',
    ];
    await writeFile(file, lines.join('\n'));
    return { ...launch(folder, port, {}), args: [file, '--sentinel'] };
  });
}
