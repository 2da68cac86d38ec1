import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { DiscoveryClient, ServiceCommunicator } from '#client';
import { RegisterApp, ServiceDiscoveryModule } from '#client-nest';
// A package's entry of its own, so that nobody needs Terminus.
import { ServiceDiscoveryHealthIndicator } from '../../libs/client-nest/terminus.js';
import { HttpClient } from '../support/http-client.js';
import { Proxy } from '../support/proxy.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const LONG_MS = 30_000;
const ORDERS = '/api/v1/services/orders/instances';

@Controller()
class OrdersController {
  constructor(
    @Inject(ServiceCommunicator) private readonly services: ServiceCommunicator,
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(ServiceDiscoveryHealthIndicator) private readonly discovery: ServiceDiscoveryHealthIndicator,
  ) {}

  @Get('one')
  one() {
    return { order: 1 };
  }

  /** By way of whoever is registered as `orders`. */
  @Get('other')
  other() {
    return this.services.callJson({ service: 'orders', path: '/one' });
  }

  @Get('health')
  check() {
    return this.health.check([() => this.discovery.check('discovery')]);
  }
}

let server: TestServer;
let way: Proxy;
let app: NestFastifyApplication;
let url: string;
let http: HttpClient;
beforeEach(async () => {
  server = await TestServer.start();
  way = await Proxy.to(Number(new URL(server.url).port));

  const options = { servers: [`http://127.0.0.1:${way.port}`], onError: () => undefined };
  @RegisterApp({ service: 'orders', host: '127.0.0.1', drainMs: 0 })
  @Module({
    imports: [ServiceDiscoveryModule.forRootAsync({ useFactory: async () => options }), TerminusModule],
    controllers: [OrdersController],
    providers: [ServiceDiscoveryHealthIndicator],
  })
  class AppModule {}

  app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
  http = new HttpClient(url);
});
afterEach(async () => {
  await http.close();
  await app.close();
  await way.close();
  await server.stop();
});

const health = async () => (await http.get('/health')).json as { status: string; details: Record<string, unknown> };

describe('the Nest module', () => {
  it('registers the app where it listens, and calls others', async () => {
    const client = app.get(DiscoveryClient);
    await until(() => client.instances('orders').length === 1, LONG_MS);
    expect(client.instances('orders')[0]!.url).toBe(url);
    expect((await http.get('/other')).json).toEqual({ order: 1 });
  });

  it('leaves when the app is closed', async () => {
    const client = app.get(DiscoveryClient);
    await until(() => client.instances('orders').length === 1, LONG_MS);
    await app.close();
    expect((await server.http.get<unknown[]>(ORDERS)).status).toBe(404);
  });

  it('is closed though no server answers', async () => {
    await way.cut();
    await app.close();
  });

  it('tells Terminus how well it knows the others', async () => {
    expect(await health()).toMatchObject({ status: 'ok', details: { discovery: { status: 'up', source: 'live' } } });
    await way.cut();
    await until(async () => (await health()).status !== 'ok', LONG_MS);
    expect(await health()).toMatchObject({ details: { discovery: { status: 'degraded', source: 'stale' } } });
  });
});
