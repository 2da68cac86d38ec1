import type { Profile, VariableName } from './variables.js';

/** Defaults of each profile, before those of the variables. A profile sets nothing but defaults. */
export const PROFILE_DEFAULTS: Readonly<Record<Profile, Readonly<Partial<Record<VariableName, string>>>>> = {
  development: {
    REGISTRY_TYPE: 'memory',
    HEALTH_CHECK_INTERVAL: '10',
    PROBE_LOOPBACK: 'true',
    LOG_LEVEL: 'debug',
    LOG_FORMAT: 'pretty',
  },
  // The variables' own defaults are production's. Which registry it runs on is never guessed.
  production: {},
  kubernetes: { REGISTRY_TYPE: 'kubernetes' },
  test: {
    REGISTRY_TYPE: 'memory',
    HEALTH_CHECK_INTERVAL: '1',
    HEALTH_CHECK_TIMEOUT: '1',
    PROBE_LOOPBACK: 'true',
    SERVICE_TTL: '10',
    HEARTBEAT_INTERVAL: '5',
    CATALOG_REFRESH_INTERVAL: '5',
    LOG_LEVEL: 'error',
  },
};
