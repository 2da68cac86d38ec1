import { ConfigurableModuleBuilder, Logger } from '@nestjs/common';
import { DiscoveryClient, type ClientOptions, type CommunicatorOptions } from '#client';

export interface ServiceDiscoveryOptions extends ClientOptions {
  /** How calls are made. */
  readonly calls?: CommunicatorOptions;
  /**
   * How long the start waits to hear of what there is, milliseconds; 10,000 by default. Then it goes on, and what
   * asks too early gets a `NotReadyError`.
   */
  readonly readyMs?: number;
}

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: OPTIONS } =
  new ConfigurableModuleBuilder<ServiceDiscoveryOptions>({ moduleName: 'ServiceDiscovery' })
    .setClassMethodName('forRoot')
    .build();

export const logger = new Logger('ServiceDiscovery');

/** Errors of the background are warnings in the application's log, unless it wants them itself. */
export function clientOf(options: ServiceDiscoveryOptions): DiscoveryClient {
  return new DiscoveryClient({ onError: ({ message }) => logger.warn(message), ...options });
}
