import type { VariableName } from './variables.js';

export interface Alias {
  readonly of: VariableName;
  /** What its values mean there; absent: they are the same. */
  readonly values?: Readonly<Record<string, string>>;
}

/** Names that older systems gave to the same things. */
export const ALIASES: Readonly<Record<string, Alias>> = {
  SERVICE_DISCOVERY_MODE: {
    of: 'REGISTRY_TYPE',
    values: { memory_only: 'memory', redis_backed: 'redis', hybrid: 'redis' },
  },
  SERVICE_DISCOVERY_HOST: { of: 'SERVICE_HOST' },
  SERVICE_DISCOVERY_PORT: { of: 'SERVICE_PORT' },
  HEALTH_CHECK_INTERVAL_SECONDS: { of: 'HEALTH_CHECK_INTERVAL' },
  SERVICE_DISCOVERY_HEALTH_CHECK_INTERVAL: { of: 'HEALTH_CHECK_INTERVAL' },
  HEALTH_CHECK_TIMEOUT_SECONDS: { of: 'HEALTH_CHECK_TIMEOUT' },
  SERVICE_DISCOVERY_HEALTH_CHECK_TIMEOUT: { of: 'HEALTH_CHECK_TIMEOUT' },
  SERVICE_REGISTRATION_TTL_SECONDS: { of: 'SERVICE_TTL' },
  SERVICE_DISCOVERY_SERVICE_TTL: { of: 'SERVICE_TTL' },
  SERVICE_HEARTBEAT_INTERVAL_SECONDS: { of: 'HEARTBEAT_INTERVAL' },
  SERVICE_DISCOVERY_DEFAULT_LOAD_BALANCING: { of: 'DEFAULT_STRATEGY' },
};

export function aliasesOf(name: string): string[] {
  return Object.keys(ALIASES).filter((alias) => ALIASES[alias]!.of === name);
}
