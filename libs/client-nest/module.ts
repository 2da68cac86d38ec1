import { Global, Module } from '@nestjs/common';
import { DiscoveryClient, ServiceCommunicator } from '#client';
import { AppRegistrar } from './app-registrar.js';
import { clientOf, ConfigurableModuleClass, OPTIONS, type ServiceDiscoveryOptions } from './options.js';

/**
 * One client and one communicator for the whole application: `forRoot(options)`, or `forRootAsync` with what they
 * are made of injected. What they have open ends with the application.
 */
@Global()
@Module({
  providers: [
    { provide: DiscoveryClient, useFactory: clientOf, inject: [OPTIONS] },
    {
      provide: ServiceCommunicator,
      useFactory: (client: DiscoveryClient, { calls }: ServiceDiscoveryOptions) =>
        new ServiceCommunicator(client, calls),
      inject: [DiscoveryClient, OPTIONS],
    },
    AppRegistrar,
  ],
  exports: [DiscoveryClient, ServiceCommunicator],
})
export class ServiceDiscoveryModule extends ConfigurableModuleClass {}
