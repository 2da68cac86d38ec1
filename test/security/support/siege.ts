import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { HttpClient } from '../../support/http-client.js';
import { register } from '../../support/instances.js';
import { ServerProcess, within, type Environment } from '../../support/process.js';
import { until } from '../../support/until.js';

/** What is not given back would come to more, or end the server, whose heap is small here. */
const SPARE_BYTES = 128 * 1_024 * 1_024;
const HEAP = '--max-old-space-size=128';
/** Connections of the client that measures, and what the server has to do beside. */
const SPARE_HANDLES = 5;
/** The machine may be busy. */
const RECOVERY_MS = 60_000;
/** Between the requests of whoever goes on asking. */
const PACE_MS = 10;

interface Footprint {
  readonly bytes: number;
  readonly handles: number;
}

/** A server that is attacked, while somebody else goes on asking it. */
export class Siege {
  private constructor(
    readonly server: ServerProcess,
    private readonly http: HttpClient,
  ) {}

  /** With a service `web`, on an instance. */
  static async start(environment: Environment = {}): Promise<Siege> {
    const server = await ServerProcess.start({ NODE_OPTIONS: HEAP, ANONYMOUS_ROLE: 'registrar', ...environment });
    const http = new HttpClient(server.url);
    await until(async () => (await http.get('/health/ready')).status === 200, RECOVERY_MS);
    await register(http, { service_name: 'web', id: 'a' });
    return new Siege(server, http);
  }

  /** The attack; meanwhile others have their answers, and afterwards the server is what it was before. */
  async of(attack: (attacker: HttpClient) => Promise<unknown>): Promise<void> {
    const before = await this.footprint();
    const over = new AbortController();
    const bystander = this.ask(over.signal);
    const attacker = new HttpClient(this.server.url);
    await attack(attacker).finally(() => over.abort());
    const [statuses] = await Promise.all([bystander, attacker.close()]);
    expect(new Set(statuses)).toEqual(new Set([200]));
    await until(async () => {
      const { bytes, handles } = await this.footprint();
      return handles <= before.handles + SPARE_HANDLES && bytes <= before.bytes + SPARE_BYTES;
    }, RECOVERY_MS);
    expect(this.server.log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
    expect(this.server.stderr).toBe('');
  }

  /** Connections of nobody in particular, opened a few at a time. */
  async *connections(count: number, atOnce = 100): AsyncGenerator<Socket> {
    for (let opened = 0; opened < count; opened += atOnce) {
      yield* await Promise.all(Array.from({ length: Math.min(atOnce, count - opened) }, () => this.connect()));
    }
  }

  private async connect(): Promise<Socket> {
    const socket = connect(this.server.port, '127.0.0.1');
    await within(once(socket, 'connect'), 'a connection');
    return socket.on('error', () => socket.destroy());
  }

  /** By a connection that is kept, by a new one, and with a write. */
  private async ask(over: AbortSignal): Promise<number[]> {
    const client = new HttpClient(this.server.url);
    const statuses: number[] = [];
    do {
      statuses.push(
        (await client.get('/api/v1/services/web')).status,
        (await client.get('/api/v1/services', { connection: 'close' })).status,
        (await client.put('/api/v1/services/web/instances/a/heartbeat')).status,
      );
      await sleep(PACE_MS);
    } while (!over.aborted);
    await client.close();
    return statuses;
  }

  /** Of all its labels together. */
  async metric(name: string): Promise<number> {
    const { text } = await this.http.get('/metrics');
    let sum = 0;
    for (const [, value] of text.matchAll(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, 'gm'))) sum += Number(value);
    return sum;
  }

  private async footprint(): Promise<Footprint> {
    return {
      bytes: await this.metric('process_resident_memory_bytes'),
      handles: await this.metric('nodejs_active_handles'),
    };
  }

  async end(): Promise<void> {
    await this.http.close();
    await this.server.end('SIGTERM');
  }
}
