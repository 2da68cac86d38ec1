import { describe, expect, it } from '@jest/globals';
import { SettingsError } from './index.js';
import { backend, load, problems, SEAMS } from './testing/seams.js';

const OPEN = [expect.stringContaining('everybody who reaches 0.0.0.0 may write')];
const SAFE = { AUTH_DISABLED: 'true', REGISTRY_TYPE: 'memory' };

describe('loadSettings', () => {
  it('needs nothing for development', () => {
    const { settings, warnings } = load({});
    expect(warnings).toEqual(['nobody is asked who they are: everybody who reaches 0.0.0.0 may write']);
    expect(settings).toEqual({
      profile: 'development',
      service: { name: 'service-discovery' },
      server: { host: '0.0.0.0', port: 8090, maxWaiters: 10_000, trustedProxies: [] },
      streams: { heartbeatMs: 15_000 },
      authentication: { schemes: [], anonymousRole: 'admin' },
      audit: {},
      dialects: ['old', 'older'],
      registry: { type: 'memory', options: {}, identity: '["memory",{}]' },
      instances: {},
      checks: { enabled: true, intervalMs: 10_000, timeoutMs: 10_000, criticalLoad: 0.8 },
      leases: { ttlMs: 300_000, heartbeatIntervalMs: 60_000 },
      massLoss: { min: 3, share: 0.5, holdMs: 60_000 },
      balancing: { defaultStrategy: 'round_robin' },
      probes: { concurrency: 128, loopback: true, deniedAddresses: [] },
      catalog: { refreshIntervalMs: 30_000, answerCacheBytes: 67_108_864 },
      log: { level: 'debug', format: 'pretty', requests: false },
      metrics: { enabled: true, maxServices: 100 },
      alerts: {},
      shutdown: { graceMs: 15_000 },
    });
  });

  it('is careful in production', () => {
    const { settings } = load({ ENVIRONMENT: 'production', ...SAFE });
    expect(settings).toMatchObject({
      checks: { intervalMs: 30_000, timeoutMs: 10_000 },
      probes: { loopback: false },
      log: { level: 'info', format: 'json' },
    });
  });

  it('is quiet and quick in test, where a random port is allowed', () => {
    const { settings } = load({ ENVIRONMENT: 'test', SERVICE_PORT: '0' });
    expect(settings).toMatchObject({ server: { port: 0 }, log: { level: 'error' }, checks: { intervalMs: 1_000 } });
    expect(problems({ SERVICE_PORT: '0' })).toMatchObject([{ variable: 'SERVICE_PORT', value: '0' }]);
  });

  it('cannot be changed afterwards', () => {
    const { settings } = load({ PROBE_DENIED_ADDRESSES: '10.0.0.0/8' });
    expect(() => Object.assign(settings.server, { port: 1 })).toThrow(TypeError);
    expect(() => (settings.probes.deniedAddresses as string[]).push('x')).toThrow(TypeError);
    expect(() => Object.assign(settings.registry.options, { x: 1 })).toThrow(TypeError);
  });

  it('takes an empty value as none', () => {
    expect(load({ SERVICE_PORT: '', ENVIRONMENT: '', SERVICE_DISCOVERY_PORT: '', REPLICA_SECRET: '' })).toEqual(
      load({}),
    );
  });

  it('says everything that is wrong at once, with name, value and what is allowed', () => {
    const environment = {
      ENVIRONMENT: 'prod',
      SERVICE_PORT: 'http',
      LOG_LEVEL: 'loud',
      HEALTH_CHECK_ENABLED: 'maybe',
      SERVICE_TTL: '4s',
    };
    expect(() => load(environment)).toThrow(SettingsError);
    expect(problems(environment)).toEqual([
      { variable: 'ENVIRONMENT', value: 'prod', message: 'must be one of development, production, kubernetes, test' },
      { variable: 'SERVICE_PORT', value: 'http', message: 'must be an integer from 0 to 65535' },
      { variable: 'HEALTH_CHECK_ENABLED', value: 'maybe', message: expect.stringContaining('must be true or false') },
      { variable: 'SERVICE_TTL', value: '4s', message: expect.stringContaining('at least 5 s') },
      { variable: 'LOG_LEVEL', value: 'loud', message: expect.stringContaining('trace, debug, info, warn, error') },
    ]);
    expect(new SettingsError(problems(environment)).message).toContain('\n  SERVICE_PORT=http: must be an integer');
  });
});

describe('the registry', () => {
  it('is one of the list, and must be named in production', () => {
    expect(problems({ REGISTRY_TYPE: 'zookeeper' })).toEqual([
      { variable: 'REGISTRY_TYPE', value: 'zookeeper', message: 'must be one of memory, redis' },
    ]);
    const [problem, ...others] = problems({ ENVIRONMENT: 'production', AUTH_DISABLED: 'true' });
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ variable: 'REGISTRY_TYPE', message: expect.stringContaining('is not set') });
    expect(problem).not.toHaveProperty('value');
  });

  it('is kubernetes in profile kubernetes, and nothing else instead', () => {
    const environment = { ENVIRONMENT: 'kubernetes', AUTH_DISABLED: 'true' };
    expect(problems(environment)).toEqual([
      {
        variable: 'REGISTRY_TYPE',
        value: 'kubernetes',
        message: '(profile kubernetes) must be one of memory, redis',
      },
    ]);
    const seams = { ...SEAMS, backends: [backend('kubernetes')] };
    expect(load(environment, seams).settings.registry.type).toBe('kubernetes');
  });

  it('reads its own variables, and nobody else their garbage', () => {
    const redis = { REGISTRY_TYPE: 'redis', REDIS_URL: 'redis://r:1', REDIS_PASSWORD: 'correct horse' };
    expect(load(redis).settings.registry).toEqual({
      type: 'redis',
      options: { REDIS_URL: 'redis://r:1', REDIS_PORT: 6379, REDIS_PASSWORD: 'correct horse' },
      identity: '["redis",{"REDIS_URL":"redis://r:1","REDIS_PORT":6379}]',
    });
    const { settings, warnings } = load({ REDIS_URL: 'garbage', MEMORY_SIZE: '1', DATA_DIR: 'data' });
    expect(settings.registry).toMatchObject({ type: 'memory', options: { MEMORY_SIZE: '1' }, dataDir: 'data' });
    expect(warnings).toEqual(OPEN);
  });

  it('reports the problems of its variables along, without their secrets', () => {
    const environment = { REGISTRY_TYPE: 'redis', REDIS_PASSWORD: 'hunter2', REDIS_URL: 'no', SERVICE_PORT: '-1' };
    expect(problems(environment)).toMatchObject([
      { variable: 'SERVICE_PORT' },
      { variable: 'REDIS_URL', value: 'no' },
      { variable: 'REDIS_PASSWORD', value: '********' },
    ]);
    expect(new SettingsError(problems(environment)).message).not.toContain('hunter2');
    expect(problems({ REGISTRY_TYPE: 'redis', REDIS_URL: 'redis://nowhere' })).toEqual([
      { variable: 'REGISTRY_TYPE', value: 'redis', message: 'must be somewhere' },
    ]);
  });
});

describe('what must hold among variables', () => {
  it.each(['production', 'kubernetes'])('wants to be told that everybody may write (%s)', (profile) => {
    const environment = { ENVIRONMENT: profile, REGISTRY_TYPE: 'memory' };
    expect(problems(environment)).toEqual([
      {
        variable: 'SERVICE_HOST',
        value: '0.0.0.0',
        message: expect.stringMatching(/SERVICE_HOST=127\.0\.0\.1.*AUTH_DISABLED=true/),
      },
    ]);
    for (const host of ['127.0.0.1', '127.8.8.8', '::1', 'localhost']) {
      expect(load({ ...environment, SERVICE_HOST: host }).warnings).toEqual([
        expect.stringContaining(`reaches ${host} may`),
      ]);
    }
    expect(load({ ...environment, AUTH_DISABLED: 'true' }).warnings).toEqual(OPEN);
    expect(problems({ ...environment, SERVICE_HOST: 'example.org' })).toHaveLength(1);
  });

  it('refuses heartbeats and deadlines that are too long', () => {
    expect(problems({ SERVICE_TTL: '60', HEARTBEAT_INTERVAL: '31', HEALTH_CHECK_TIMEOUT: '11s' })).toEqual([
      { variable: 'HEARTBEAT_INTERVAL', value: '31', message: 'must be at most 30s, half of SERVICE_TTL' },
      {
        variable: 'HEALTH_CHECK_TIMEOUT',
        value: '11s',
        message: 'must be at most 10s, HEALTH_CHECK_INTERVAL',
      },
    ]);
  });

  it('lowers those that nobody has written', () => {
    const { settings } = load({ SERVICE_TTL: '5', HEALTH_CHECK_INTERVAL: '2' });
    expect(settings).toMatchObject({
      leases: { ttlMs: 5_000, heartbeatIntervalMs: 2_500 },
      checks: { intervalMs: 2_000, timeoutMs: 2_000 },
    });
  });

  it('needs the files of TLS with it, and none without', () => {
    expect(problems({ TLS_ENABLED: 'true', TLS_CERT_FILE: '/a.crt' })).toEqual([
      { variable: 'TLS_KEY_FILE', message: expect.stringContaining('is needed with TLS_ENABLED') },
    ]);
    expect(problems({ TLS_CA_FILE: '/ca.crt' })).toEqual([
      { variable: 'TLS_CA_FILE', value: '/ca.crt', message: 'has no effect without TLS_ENABLED=true' },
    ]);
    const files = { TLS_CERT_FILE: '/a.crt', TLS_KEY_FILE: '/a.key' };
    expect(load({ TLS_ENABLED: 'true', ...files }).settings.server.tls).toEqual({ cert: '/a.crt', key: '/a.key' });
  });
});

describe('OpenTelemetry', () => {
  const bad = {
    OTEL_TRACES_EXPORTER: 'jaeger',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317',
    OTEL_TRACES_SAMPLER_ARG: '2',
  };

  it('has each bad value named', () => {
    expect(problems({ TRACING_ENABLED: 'true', ...bad })).toEqual([
      { variable: 'OTEL_TRACES_EXPORTER', value: 'jaeger', message: 'must be one of otlp, zipkin, none' },
      { variable: 'OTEL_TRACES_SAMPLER_ARG', value: '2', message: 'must be a number from 0 to 1' },
      {
        variable: 'OTEL_EXPORTER_OTLP_ENDPOINT',
        value: 'collector:4317',
        message: 'must be a URL with http: or https:',
      },
    ]);
  });

  it("is somebody else's without TRACING_ENABLED", () => {
    expect(load(bad).settings.tracing).toBeUndefined();
  });

  it('takes the service as its name, and the protocol of traces before that of all', () => {
    const named = { SERVICE_NAME: 'discovery-eu', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' };
    expect(load({ TRACING_ENABLED: 'true', ...named }).settings.tracing).toMatchObject({
      serviceName: 'discovery-eu',
      protocol: 'grpc',
      sampler: 'parentbased_always_on',
    });
  });
});
