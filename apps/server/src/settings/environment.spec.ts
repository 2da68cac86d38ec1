import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { variables } from './variables.js';
import { load as loadAny, problems, SEAMS } from './testing/seams.js';

/** Where nobody may write unasked, which would be one more warning. */
const load = (environment: Record<string, string | undefined>) => loadAny({ ANONYMOUS_ROLE: 'none', ...environment });

/** Any text is a path. */
const PATHS = ['DATA_DIR'];
const NAMES = Object.keys(variables(SEAMS).shape).filter((name) => !PATHS.includes(name));
/** Nothing that any variable could mean. */
const garbage = fc.string().map((text) => `!${text}?`);

describe('any environment', () => {
  it('has every garbage of it reported, by name', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...NAMES), garbage), (environment) => {
        const reported = new Set(problems(environment).map(({ variable }) => variable));
        expect(reported).toEqual(new Set(Object.keys(environment)));
      }),
    );
  });

  it('is loaded or refused with a SettingsError, whatever it holds', () => {
    const name = fc.oneof(fc.constantFrom(...NAMES), fc.string(), fc.constant('__proto__'));
    const text = fc.oneof(fc.string(), fc.constantFrom('true', '0', '10', '10s', 'production', 'redis', 'tcp://a:1'));
    fc.assert(
      fc.property(fc.dictionary(name, text), (environment) => expect(problems(environment)).toBeInstanceOf(Array)),
    );
  });
});

describe('aliases', () => {
  it.each([
    ['SERVICE_DISCOVERY_HOST', '127.0.0.1', { server: { host: '127.0.0.1' } }],
    ['SERVICE_DISCOVERY_PORT', '9000', { server: { port: 9_000 } }],
    ['HEALTH_CHECK_INTERVAL_SECONDS', '45', { checks: { intervalMs: 45_000 } }],
    ['SERVICE_DISCOVERY_HEALTH_CHECK_INTERVAL', '45', { checks: { intervalMs: 45_000 } }],
    ['HEALTH_CHECK_TIMEOUT_SECONDS', '3', { checks: { timeoutMs: 3_000 } }],
    ['SERVICE_DISCOVERY_HEALTH_CHECK_TIMEOUT', '3', { checks: { timeoutMs: 3_000 } }],
    ['SERVICE_REGISTRATION_TTL_SECONDS', '200', { leases: { ttlMs: 200_000 } }],
    ['SERVICE_DISCOVERY_SERVICE_TTL', '200', { leases: { ttlMs: 200_000 } }],
    ['SERVICE_HEARTBEAT_INTERVAL_SECONDS', '20', { leases: { heartbeatIntervalMs: 20_000 } }],
    ['SERVICE_DISCOVERY_DEFAULT_LOAD_BALANCING', 'random', { balancing: { defaultStrategy: 'random' } }],
    ['SERVICE_DISCOVERY_MODE', 'memory_only', { registry: { type: 'memory' } }],
    ['SERVICE_DISCOVERY_MODE', 'redis_backed', { registry: { type: 'redis' } }],
    ['SERVICE_DISCOVERY_MODE', 'hybrid', { registry: { type: 'redis' } }],
  ])('reads %s=%s', (alias, value, expected) => {
    expect(load({ [alias]: value })).toMatchObject({ settings: expected, warnings: [] });
  });

  it('may say the same as the variable, in other words', () => {
    const environment = {
      SERVICE_TTL: '200s',
      SERVICE_REGISTRATION_TTL_SECONDS: '200',
      SERVICE_DISCOVERY_SERVICE_TTL: '',
    };
    expect(load(environment).settings.leases.ttlMs).toBe(200_000);
    expect(load({ REGISTRY_TYPE: 'redis', SERVICE_DISCOVERY_MODE: 'hybrid' }).settings.registry.type).toBe('redis');
  });

  it('must not say something else, be it than the variable or than each other', () => {
    expect(problems({ SERVICE_TTL: '200', SERVICE_DISCOVERY_SERVICE_TTL: '201' })).toEqual([
      {
        variable: 'SERVICE_TTL',
        value: '200',
        message: 'contradicts SERVICE_DISCOVERY_SERVICE_TTL=201: both stand for SERVICE_TTL; unset one',
      },
    ]);
    expect(problems({ SERVICE_REGISTRATION_TTL_SECONDS: '9', SERVICE_DISCOVERY_SERVICE_TTL: '8' })).toMatchObject([
      {
        variable: 'SERVICE_REGISTRATION_TTL_SECONDS',
        message: expect.stringContaining('SERVICE_DISCOVERY_SERVICE_TTL=8'),
      },
    ]);
  });

  it('are named as they were written when their value is wrong', () => {
    expect(problems({ SERVICE_DISCOVERY_MODE: 'cloud', HEALTH_CHECK_INTERVAL_SECONDS: 'often' })).toMatchObject([
      {
        variable: 'SERVICE_DISCOVERY_MODE',
        value: 'cloud',
        message: 'must be one of memory_only, redis_backed, hybrid',
      },
      { variable: 'HEALTH_CHECK_INTERVAL_SECONDS', value: 'often' },
    ]);
    const memoryOnly = { ...SEAMS, backends: SEAMS.backends.slice(0, 1) };
    expect(problems({ SERVICE_DISCOVERY_MODE: 'hybrid' }, memoryOnly)).toEqual([
      { variable: 'SERVICE_DISCOVERY_MODE', value: 'hybrid', message: '(REGISTRY_TYPE=redis) must be one of memory' },
    ]);
  });
});

describe('what Kubernetes injects', () => {
  const injected = {
    SERVICE_DISCOVERY_SERVICE_HOST: '10.0.0.1',
    SERVICE_DISCOVERY_SERVICE_PORT: '8090',
    SERVICE_DISCOVERY_SERVICE_PORT_HTTP: '8090',
    SERVICE_DISCOVERY_PORT: 'tcp://10.0.0.1:8090',
    SERVICE_DISCOVERY_PORT_8090_TCP: 'tcp://10.0.0.1:8090',
    SERVICE_DISCOVERY_PORT_8090_TCP_ADDR: '10.0.0.1',
    REGISTRY_PORT: 'tcp://10.0.0.2:5000',
  };

  it('is not taken for settings: one warning, for the name that is also ours', () => {
    const { settings, warnings } = load(injected);
    expect(settings.server).toMatchObject({ host: '0.0.0.0', port: 8090 });
    expect(warnings).toEqual([expect.stringContaining('SERVICE_DISCOVERY_PORT=tcp://10.0.0.1:8090 is ignored')]);
    expect(load({ ...injected, SERVICE_PORT: '9000' }).settings.server.port).toBe(9_000);
  });

  it('is not taken for an option of the backend either', () => {
    const { settings, warnings } = load({ REGISTRY_TYPE: 'redis', REDIS_PORT: 'tcp://10.0.0.3:6379' });
    expect(settings.registry.options).toMatchObject({ REDIS_PORT: 6_379 });
    expect(warnings).toEqual([expect.stringContaining('REDIS_PORT=tcp://10.0.0.3:6379 is ignored')]);
  });
});

describe('names that are not known', () => {
  it.each([
    ['HEALTH_CHECK_INTERVALL', 'HEALTH_CHECK_INTERVAL'],
    ['MASS_LOSS_HOLDS', 'MASS_LOSS_HOLD'],
    ['REGISTRY_TYP', 'REGISTRY_TYPE'],
    ['SERVICE_DISCOVERY_MOD', 'SERVICE_DISCOVERY_MODE'],
    ['PROBE_LOOPBAK', 'PROBE_LOOPBACK'],
    ['SEVICE_TTL', 'SERVICE_TTL'],
  ])('warns of %s', (name, suggestion) => {
    expect(load({ [name]: '1' }).warnings).toEqual([`${name} is not known; did you mean ${suggestion}?`]);
  });

  it('leaves alone what others read', () => {
    const environment = {
      SERVICE_DISCOVERY_CIRCUIT_BREAKER_FAILURE_THRESHOLD: '5',
      SERVICE_DISCOVERY_RETRY_MAX_ATTEMPTS: '3',
      REGISTRY_PREFIX: '/services/',
      REDIS_URL: 'redis://r',
      PATH: '/bin',
      HEALTH_CHECK_INTERVALL: '',
    };
    expect(load(environment).warnings).toEqual([]);
  });

  it('has a word on DATABASE_URL, without its password', () => {
    expect(load({ DATABASE_URL: 'postgres://u:hunter2@db' }).warnings).toEqual(['DATABASE_URL is not used yet']);
  });
});
