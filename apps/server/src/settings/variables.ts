import { z } from 'zod';
import { LIMITS, ROLES, type AuthenticationModule, type BackendModule } from '#core';
import { LOG_FORMATS, LOG_LEVELS } from '#telemetry';
import {
  absolutePath,
  decimal,
  duration,
  flag,
  folder,
  host,
  httpUrl,
  hostAndPort,
  integer,
  logLevel,
  networks,
  oneOf,
  packages,
  secret,
  serviceName,
  someOf,
} from './fields.js';

export const PROFILES = ['development', 'production', 'kubernetes', 'test'] as const;
export type Profile = (typeof PROFILES)[number];

/** What there is to choose from; settings know no backend and no strategy by name. */
export interface Choices {
  readonly backends: readonly BackendModule[];
  /** Names of the balancing strategies. */
  readonly strategies: readonly string[];
  /** Names of the dialects. */
  readonly dialects: readonly string[];
  readonly schemes: readonly AuthenticationModule[];
}

/**
 * Every variable of the server itself, in the order in which it is shown. A default is text, read as
 * if it had been written in the environment; a profile's (`profiles.ts`) goes before it.
 */
export function variables({ backends, strategies, dialects }: Choices) {
  return z.object({
    ENVIRONMENT: oneOf(PROFILES)
      .prefault('development')
      .meta({ description: `profile, a set of defaults: ${PROFILES.join(', ')}` }),
    EXTENSIONS: packages()
      .prefault('')
      .meta({ description: 'packages that add backends, strategies, probes or dialects, parted by commas' }),
    DIALECTS: someOf(dialects)
      .prefault('all')
      .meta({ description: `APIs of other systems that are served too: all, none, or of ${dialects.join(', ')}` }),
    REGISTRY_TYPE: oneOf(backends.map(({ type }) => type)).meta({
      description: `registry behind the API: ${backends.map(({ type, summary }) => `${type} (${summary})`).join('; ')}`,
    }),

    DATA_DIR: folder().optional().meta({
      description:
        'folder for what outlives a restart: the memory registry, or what was last known of another one, which is served while that is away',
    }),

    SERVICE_NAME: serviceName()
      .prefault('service-discovery')
      .meta({ description: 'name of this server; replicas find each other by it' }),
    SERVICE_HOST: host().prefault('0.0.0.0').meta({ description: 'address to listen on' }),
    SERVICE_PORT: integer(0, 65_535)
      .prefault('8090')
      .meta({ description: 'port to listen on; 0, a free one, only in profile test' }),
    TLS_ENABLED: flag()
      .prefault('false')
      .meta({ description: 'true: speak HTTPS, on METRICS_PORT and to other replicas too' }),
    TLS_CERT_FILE: absolutePath().optional().meta({
      description:
        'PEM file with the certificate to show, and those between it and its authority; read again when it changes',
    }),
    TLS_KEY_FILE: absolutePath().optional().meta({ description: 'PEM file with its key; read again when it changes' }),
    TLS_CA_FILE: absolutePath().optional().meta({
      description:
        'PEM file: who may have signed the certificates of other replicas; otherwise the authorities of Node. Read again when it changes',
    }),
    ADVERTISE_ADDRESS: hostAndPort().optional().meta({
      description:
        'host or host:port at which other replicas reach this server; without it they do not know of it, and it shares no health checks',
    }),
    REPLICA_SECRET: secret(16).optional().meta({
      description:
        'known to all replicas of this registry, by which they ask each other what one of them alone knows: what its health checks have found',
      secret: true,
    }),
    AUTH_DISABLED: flag()
      .prefault('false')
      .meta({ description: 'true: serve everybody who can reach this server, writes included' }),
    AUTH_RULES_FILE: absolutePath().optional().meta({
      description:
        'JSON file with what callers may do: {"rules": [{"callers", "role", "services", "tags", "instances"}]}; read again when it changes',
    }),
    AUDIT_FILE: absolutePath().optional().meta({
      description:
        'file to which a line is added for each change that somebody makes or is refused; /dev/stdout will do',
    }),
    ANONYMOUS_ROLE: oneOf(['none', ...ROLES])
      .optional()
      .meta({
        description: `what callers may do who bring no credential: none, ${ROLES.join(', ')}. Otherwise none; reader where SERVICE_DISCOVERY_SECRET alone is set; admin where nothing authenticates`,
      }),
    TRUSTED_PROXIES: networks().prefault('').meta({
      description:
        'networks of the proxies whose word on their callers counts (X-Forwarded-For), in CIDR notation, parted by commas',
    }),
    RATE_LIMIT: integer(1).optional().meta({
      description:
        'requests a second that one caller may make, by identity, or by address who brings none; for ten seconds at once. Otherwise any number',
    }),
    MAX_CONNECTIONS: integer(1).optional().meta({
      description:
        'connections that may be open; whoever comes then is hung up on. Otherwise 25000; never more than the open files allow (ulimit -n)',
    }),
    MAX_WAITERS: integer(1)
      .prefault('10000')
      .meta({ description: 'requests that may wait for a change, and streams that may be open, so many of each' }),
    MAX_STREAMS_PER_CALLER: integer(1).optional().meta({
      description:
        'streams that one caller may have open, by identity, or by address who brings none. Otherwise as many as MAX_WAITERS allows',
    }),
    MAX_INSTANCES_PER_SERVICE: integer(1).optional().meta({
      description: 'instances that a service may have; replacing one is always allowed. Otherwise any number',
    }),
    MAX_INSTANCES_PER_CALLER: integer(1).optional().meta({
      description:
        'instances there may be that one caller has registered, by identity, or by address who brings none. Otherwise any number',
    }),
    STREAM_HEARTBEAT: duration(LIMITS.minIntervalMs).prefault('15').meta({
      description:
        'time between signs of life on an idle stream; a reader who takes nothing for twice as long is let go',
    }),

    HEALTH_CHECK_ENABLED: flag().prefault('true').meta({
      description: 'false: probe no instance; what a probe has said stands until the instance registers again',
    }),
    HEALTH_CHECK_INTERVAL: duration(LIMITS.minIntervalMs)
      .prefault('30')
      .meta({ description: 'time between probes of an instance that names none of its own' }),
    HEALTH_CHECK_TIMEOUT: duration(LIMITS.minTimeoutMs)
      .prefault('10')
      .meta({ description: 'deadline of such a probe; at most HEALTH_CHECK_INTERVAL' }),
    CRITICAL_LOAD_THRESHOLD: decimal(0, 1_000)
      .prefault('0.8')
      .meta({ description: 'load of an instance, on its own scale, at which an alert is raised' }),
    PROBE_CONCURRENCY: integer(1).prefault('128').meta({
      description: 'probes that begin, and scripts that run, at the same time; 16 times as many may wait for an answer',
    }),
    PROBE_LOOPBACK: flag()
      .prefault('false')
      .meta({ description: 'true: instances at loopback addresses may be probed' }),
    PROBE_DENIED_ADDRESSES: networks()
      .prefault('')
      .meta({ description: 'networks that are never probed, in CIDR notation, parted by commas' }),

    PROBE_SCRIPTS: absolutePath().optional().meta({
      description: 'JSON file with the scripts that checks may run: {"name": {"command": "/path", "args": []}}',
    }),

    SERVICE_TTL: duration(LIMITS.minTtlMs)
      .prefault('300')
      .meta({ description: 'lease of an instance that asks for none of its own' }),
    HEARTBEAT_INTERVAL: duration(LIMITS.minIntervalMs).prefault('60').meta({
      description:
        'the least that an instance is given for its next heartbeat after a restart; at most half of SERVICE_TTL',
    }),

    MASS_LOSS_MIN: integer(1)
      .prefault('3')
      .meta({ description: 'instances of a service that must vanish together to count as a mass loss' }),
    MASS_LOSS_SHARE: decimal(0, 1)
      .prefault('0.5')
      .meta({ description: 'and the share of the service that they must exceed' }),
    MASS_LOSS_HOLD: duration().prefault('60').meta({ description: 'how long they are held; 0: not at all' }),

    DEFAULT_STRATEGY: oneOf(strategies)
      .prefault('round_robin')
      .meta({ description: `balancing strategy of a pick that names none: ${strategies.join(', ')}` }),

    CATALOG_REFRESH_INTERVAL: duration(LIMITS.minIntervalMs)
      .prefault('30')
      .meta({ description: 'time between full readings of the registry, which heal a lost event' }),
    ANSWER_CACHE_BYTES: integer(1)
      .prefault(String(64 * 1024 * 1024))
      .meta({ description: 'memory for ready answers, in bytes' }),

    LOG_LEVEL: logLevel(LOG_LEVELS, { warning: 'warn', critical: 'fatal' })
      .prefault('info')
      .meta({ description: `least severe level that is logged: ${LOG_LEVELS.join(', ')}` }),
    LOG_FORMAT: oneOf(LOG_FORMATS).prefault('json').meta({ description: 'json: an object a line; pretty: for people' }),
    LOG_REQUESTS: flag().prefault('false').meta({ description: 'true: a line for every read request too' }),

    ALERT_WEBHOOK_URL: httpUrl().optional().meta({
      description: 'where alerts are told by POST; the address is subject to the rules for probes',
    }),
    ALERT_WEBHOOK_SECRET: secret(16)
      .optional()
      .meta({ description: 'by which what is told there is signed (HMAC-SHA256)', secret: true }),
    METRICS_ENABLED: flag().prefault('true').meta({ description: 'serve /metrics' }),
    METRICS_PORT: integer(0, 65_535).optional().meta({
      description: 'port of its own for /metrics, which asks nobody who it is; 0, a free one, only in profile test',
    }),
    METRICS_MAX_SERVICES: integer(0, 10_000).prefault('100').meta({
      description: 'services that have series of their own in /metrics: the first that come; the others are `other`',
    }),
    TRACING_ENABLED: flag().prefault('false').meta({
      description: 'record spans of requests, registry operations, probes and watches, as the OTEL_ variables say',
    }),
    SHUTDOWN_GRACE: duration().prefault('15').meta({ description: 'time that requests in flight get to finish' }),
  });
}

export type Variables = z.output<ReturnType<typeof variables>>;
export type VariableName = keyof Variables;

/** What EXTENSIONS names; nothing when it names no packages, which \`loadSettings\` reports with all else. */
export function extensionsIn(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  return packages().safeParse(environment.EXTENSIONS ?? '').data ?? [];
}
