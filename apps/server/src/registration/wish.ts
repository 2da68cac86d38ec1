import type { Registration, HealthCheck, JsonObject } from '#core';

/** What somebody asks to be registered, through whichever API. What is absent takes its default. */
export interface RegistrationWish
  extends
    Pick<Registration, 'serviceName' | 'address' | 'port'>,
    Partial<Omit<Registration, 'serviceName' | 'address' | 'port' | 'check'>> {
  readonly check?: CheckWish;
}

/** How it asks to be checked. Durations in milliseconds. */
export interface CheckWish extends Partial<Omit<HealthCheck, 'options'>> {
  /** Without a type, the first probe that knows one of these is meant; what no probe knows is passed over. */
  readonly options: JsonObject;
  /** Of the lease, unless the registration itself says. */
  readonly ttl?: number;
}
