import type { ConnectionOptions } from 'node:tls';
import { createLogger } from '#telemetry';
import { BUILT_IN, choicesOf } from '../../apps/server/src/seams.js';
import { Server } from '../../apps/server/src/server.js';
import { loadSettings } from '../../apps/server/src/settings/index.js';
import { HttpClient } from './http-client.js';
import { until } from './until.js';

/**
 * Nothing of a test may reach another machine: only loopback is probed, and only by tests that
 * switch the checks on and register a server of their own.
 */
const ENVIRONMENT = {
  ENVIRONMENT: 'test',
  SERVICE_HOST: '127.0.0.1',
  SERVICE_PORT: '0',
  LOG_LEVEL: 'silent',
  HEALTH_CHECK_ENABLED: 'false',
  PROBE_DENIED_ADDRESSES: [
    // Every IPv4 address but 127.0.0.0/8, and every IPv6 address that is routed.
    ...['0.0.0.0/2', '64.0.0.0/3', '96.0.0.0/4', '112.0.0.0/5', '120.0.0.0/6', '124.0.0.0/7', '126.0.0.0/8'],
    ...['128.0.0.0/1', '2000::/3', 'fc00::/7'],
  ].join(','),
  SERVICE_TTL: '300',
};

const READY_MS = 60_000;

/** A real server in this process that is ready, on a free port, and a client of it. */
export class TestServer {
  private constructor(
    readonly server: Server,
    readonly http: HttpClient,
  ) {}

  /** @param tls How it is spoken to, where that is by TLS. */
  static async start(overrides: Readonly<Record<string, string>> = {}, tls?: ConnectionOptions): Promise<TestServer> {
    const { settings } = loadSettings({ ...ENVIRONMENT, ...overrides }, choicesOf(BUILT_IN));
    const server = await Server.create(settings, createLogger(settings.log));
    await server.start();
    const http = new HttpClient(server.url, {}, tls);
    // It listens before it has heard of its registry.
    await until(async () => (await http.get('/health/ready')).status === 200, READY_MS);
    return new TestServer(server, http);
  }

  get url(): string {
    return this.server.url;
  }

  async stop(): Promise<void> {
    await Promise.all([this.server.stop(), this.http.close()]);
  }
}
