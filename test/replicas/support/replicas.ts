import type { ConnectionOptions } from 'node:tls';
import { HttpClient } from '../../support/http-client.js';
import type { Service } from '../../support/instances.js';
import { ServerProcess, type Environment, type Exit } from '../../support/process.js';
import { until } from '../../support/until.js';

const ENVIRONMENT: Environment = {
  ADVERTISE_ADDRESS: '127.0.0.1',
  HEALTH_CHECK_INTERVAL: '1',
  HEALTH_CHECK_TIMEOUT: '1',
};

/** By which replicas ask each other what one of them alone knows. */
export const SECRET: Environment = { REPLICA_SECRET: 'of replicas in tests' };

const OWN_SERVICE = '/api/v1/services/service-discovery';

/** A server process among others in front of the same registry. */
export class Replica {
  private constructor(
    readonly server: ServerProcess,
    readonly http: HttpClient,
  ) {}

  /**
   * Resolves when it has a view to answer from.
   *
   * @param tls How it is spoken to, where that is by TLS.
   */
  static async start(environment: Environment, tls?: ConnectionOptions): Promise<Replica> {
    const server = await ServerProcess.start({ ...ENVIRONMENT, ...environment });
    const http = new HttpClient(server.url, {}, tls);
    await until(async () => (await http.get('/health/ready')).status === 200, 60_000);
    return new Replica(server, http);
  }

  /** As many, each of whom knows all the others. */
  static async startSeveral(count: number, environment: Environment): Promise<Replica[]> {
    const replicas = await Promise.all(Array.from({ length: count }, () => Replica.start(environment)));
    await allKnow(replicas, count);
    return replicas;
  }

  /** By which the others know it: it ends with the epoch of its view. */
  async id(): Promise<string> {
    const { data, revision } = await this.http.get<Service>(OWN_SERVICE);
    const [epoch] = revision.split('.');
    return data.instances.find(({ service_id }) => service_id.endsWith(`-${epoch}`))!.service_id;
  }

  /** How many replicas it takes part with, itself among them. Consul shows those of other registries too, without leases. */
  async known(): Promise<number> {
    const answer = await this.http.get<Service>(OWN_SERVICE);
    return answer.status === 200 ? answer.data.instances.filter(({ ttl }) => ttl !== null).length : 0;
  }

  async end(signal: NodeJS.Signals): Promise<Exit> {
    const exit = await this.server.end(signal);
    await this.http.close();
    return exit;
  }
}

export async function allKnow(replicas: readonly Replica[], count: number): Promise<void> {
  for (const replica of replicas) await until(async () => (await replica.known()) === count, 60_000);
}
