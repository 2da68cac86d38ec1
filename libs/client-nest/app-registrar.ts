import type { AddressInfo, Server } from 'node:net';
import {
  Inject,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer, Reflector } from '@nestjs/core';
import { take } from 'rxjs';
import { DiscoveryClient, type Registration } from '#client';
import { logger, OPTIONS, type ServiceDiscoveryOptions } from './options.js';
import { RegisterApp, type AppRegistration } from './register-app.js';

const READY_MS = 10_000;

/** Begins and ends with the application: the client's view, and the registration of the app itself. */
export class AppRegistrar
  implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  private readonly stopping = new AbortController();
  private registering: Promise<Registration | undefined> = Promise.resolve(undefined);
  private drainMs: number | undefined;

  constructor(
    @Inject(DiscoveryClient) private readonly client: DiscoveryClient,
    @Inject(OPTIONS) private readonly options: ServiceDiscoveryOptions,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {}

  async onModuleInit(): Promise<void> {
    const { readyMs = READY_MS } = this.options;
    await this.client
      .ready(AbortSignal.timeout(readyMs))
      .catch(() => logger.warn(`nothing is known yet after ${readyMs} ms: the start goes on`));
  }

  onApplicationBootstrap(): void {
    const wanted = this.wanted();
    if (!wanted) return;
    // Nobody is to call before it listens, and only then is its port known.
    this.host.listen$.pipe(take(1)).subscribe(() => {
      this.registering = this.register(wanted);
    });
  }

  /** Still served: who has not heard yet may still call. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    const registration = await this.registering;
    await registration?.leave({ drainMs: this.drainMs });
  }

  onApplicationShutdown(): Promise<void> {
    return this.client.close();
  }

  private wanted(): AppRegistration | undefined {
    const modules = [...this.modules.values()];
    const wanted = modules.map(({ metatype }) =>
      this.reflector.get<AppRegistration | undefined>(RegisterApp, metatype),
    );
    return wanted.find((each) => each);
  }

  private async register({ drainMs, ...wanted }: AppRegistration): Promise<Registration | undefined> {
    this.drainMs = drainMs;
    const server = this.host.httpAdapter.getHttpServer() as Server;
    const { port } = server.address() as AddressInfo;
    try {
      return await this.client.register({ port, ...wanted }, this.stopping.signal);
    } catch (error) {
      if (!this.stopping.signal.aborted) logger.error(`not registered: ${(error as Error).message}`);
      return undefined;
    }
  }
}
