import { Reflector } from '@nestjs/core';
import type { RegistrationRequest } from '#client';

export interface AppRegistration extends Omit<RegistrationRequest, 'port'> {
  /** The one that the application listens on, unless others reach it by another. */
  readonly port?: number;
  /** At the end of the application: how long who has not heard yet may still call, milliseconds; 5,000 by default. */
  readonly drainMs?: number;
}

/** On the application's module: it is registered as soon as it listens, and leaves before it stops. */
export const RegisterApp = Reflector.createDecorator<AppRegistration>();
