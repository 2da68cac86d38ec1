import type { LogFormat, LogLevel, TracingOptions } from '#telemetry';
import { CLIENT_CERTIFICATES, type AuthenticationSettings } from './authentication.js';
import type { BackendOptions } from './backend-options.js';
import type { HostAndPort } from './fields.js';
import type { Profile, Variables } from './variables.js';

/** What the server runs by: checked, complete and frozen. Every `…Ms` is milliseconds. */
export interface Settings {
  readonly profile: Profile;
  readonly service: {
    /** In lower case. */
    readonly name: string;
    /** Absent: no other replica knows of this one; without `port`, the one that is listened on. */
    readonly advertise?: HostAndPort;
    /** Absent: replicas ask each other nothing but whether they are there. */
    readonly replicaSecret?: string;
  };
  readonly server: {
    readonly host: string;
    /** 0: a free one. */
    readonly port: number;
    /** Requests that may wait for a change at the same time; as many streams may be open beside them. */
    readonly maxWaiters: number;
    /** Paths of files in PEM; absent: plain HTTP. */
    readonly tls?: {
      readonly cert: string;
      readonly key: string;
      readonly ca?: string;
      /** Absent: callers are asked for no certificate. */
      readonly clientCa?: string;
    };
    /** Requests a second of one caller; absent: any number. */
    readonly rateLimit?: number;
    /** Absent: as many as open files allow, up to a usual number. */
    readonly maxConnections?: number;
    /** Absent: as many as there are. */
    readonly maxStreamsPerCaller?: number;
    /** In CIDR notation. */
    readonly trustedProxies: readonly string[];
  };
  readonly streams: {
    /** Between signs of life on an idle one. */
    readonly heartbeatMs: number;
  };
  readonly authentication: AuthenticationSettings;
  readonly audit: { readonly file?: string };
  /** Names of those that are served. */
  readonly dialects: readonly string[];
  readonly registry: {
    readonly type: string;
    /** What the backend's own schema has made of its variables. */
    readonly options: Readonly<Record<string, unknown>>;
    /** Tells this registry from others, and no secret. */
    readonly identity: string;
    readonly dataDir?: string;
  };
  /** How many there may be; absent: any number. */
  readonly instances: { readonly perService?: number; readonly perCaller?: number };
  readonly checks: {
    readonly enabled: boolean;
    readonly intervalMs: number;
    /** At most `intervalMs`. */
    readonly timeoutMs: number;
    readonly criticalLoad: number;
  };
  readonly leases: {
    readonly ttlMs: number;
    /** At most half of `ttlMs`. */
    readonly heartbeatIntervalMs: number;
  };
  readonly massLoss: {
    /** Instances. */
    readonly min: number;
    /** 0–1; to be exceeded. */
    readonly share: number;
    /** 0: hold nothing. */
    readonly holdMs: number;
  };
  readonly balancing: { readonly defaultStrategy: string };
  readonly probes: {
    readonly concurrency: number;
    readonly loopback: boolean;
    /** In CIDR notation. */
    readonly deniedAddresses: readonly string[];
    /** The operator's list of scripts; absent: none may run. */
    readonly scriptsFile?: string;
  };
  readonly catalog: {
    readonly refreshIntervalMs: number;
    readonly answerCacheBytes: number;
  };
  readonly log: {
    readonly level: LogLevel;
    readonly format: LogFormat;
    /** A line for every read request too. */
    readonly requests: boolean;
  };
  readonly metrics: {
    readonly enabled: boolean;
    /** Absent: on the server's own. */
    readonly port?: number;
    /** How many services have series of their own. */
    readonly maxServices: number;
  };
  readonly alerts: {
    /** Where they are told by HTTP; absent: nowhere. */
    readonly webhook?: { readonly url: string; readonly secret: string };
  };
  /** Absent: no spans are recorded. */
  readonly tracing?: TracingOptions;
  readonly shutdown: { readonly graceMs: number };
}

/** Of one that is enabled. */
function tlsOf(
  { TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_CA_FILE: ca }: Variables,
  { schemes }: AuthenticationSettings,
) {
  const clientCa = schemes.find(({ name }) => name === CLIENT_CERTIFICATES)?.options.TLS_CLIENT_CA_FILE as
    string | undefined;
  return { cert: cert!, key: key!, ...(ca !== undefined && { ca }), ...(clientCa !== undefined && { clientCa }) };
}

export function toSettings(
  values: Variables,
  registry: Pick<BackendOptions, 'options' | 'identity'>,
  authentication: AuthenticationSettings,
): Settings {
  const { options, identity } = registry;
  return {
    profile: values.ENVIRONMENT,
    service: {
      name: values.SERVICE_NAME,
      ...(values.ADVERTISE_ADDRESS && { advertise: values.ADVERTISE_ADDRESS }),
      ...(values.REPLICA_SECRET !== undefined && { replicaSecret: values.REPLICA_SECRET }),
    },
    server: {
      host: values.SERVICE_HOST,
      port: values.SERVICE_PORT,
      maxWaiters: values.MAX_WAITERS,
      ...(values.TLS_ENABLED && { tls: tlsOf(values, authentication) }),
      ...(values.RATE_LIMIT !== undefined && { rateLimit: values.RATE_LIMIT }),
      ...(values.MAX_CONNECTIONS !== undefined && { maxConnections: values.MAX_CONNECTIONS }),
      ...(values.MAX_STREAMS_PER_CALLER !== undefined && { maxStreamsPerCaller: values.MAX_STREAMS_PER_CALLER }),
      trustedProxies: values.TRUSTED_PROXIES,
    },
    streams: { heartbeatMs: values.STREAM_HEARTBEAT },
    authentication,
    audit: { ...(values.AUDIT_FILE !== undefined && { file: values.AUDIT_FILE }) },
    dialects: values.DIALECTS,
    registry: {
      type: values.REGISTRY_TYPE,
      options,
      identity,
      ...(values.DATA_DIR !== undefined && { dataDir: values.DATA_DIR }),
    },
    instances: {
      ...(values.MAX_INSTANCES_PER_SERVICE !== undefined && { perService: values.MAX_INSTANCES_PER_SERVICE }),
      ...(values.MAX_INSTANCES_PER_CALLER !== undefined && { perCaller: values.MAX_INSTANCES_PER_CALLER }),
    },
    checks: {
      enabled: values.HEALTH_CHECK_ENABLED,
      intervalMs: values.HEALTH_CHECK_INTERVAL,
      timeoutMs: values.HEALTH_CHECK_TIMEOUT,
      criticalLoad: values.CRITICAL_LOAD_THRESHOLD,
    },
    leases: { ttlMs: values.SERVICE_TTL, heartbeatIntervalMs: values.HEARTBEAT_INTERVAL },
    massLoss: { min: values.MASS_LOSS_MIN, share: values.MASS_LOSS_SHARE, holdMs: values.MASS_LOSS_HOLD },
    balancing: { defaultStrategy: values.DEFAULT_STRATEGY },
    probes: {
      concurrency: values.PROBE_CONCURRENCY,
      loopback: values.PROBE_LOOPBACK,
      deniedAddresses: values.PROBE_DENIED_ADDRESSES,
      ...(values.PROBE_SCRIPTS !== undefined && { scriptsFile: values.PROBE_SCRIPTS }),
    },
    catalog: { refreshIntervalMs: values.CATALOG_REFRESH_INTERVAL, answerCacheBytes: values.ANSWER_CACHE_BYTES },
    log: { level: values.LOG_LEVEL, format: values.LOG_FORMAT, requests: values.LOG_REQUESTS },
    metrics: {
      enabled: values.METRICS_ENABLED,
      ...(values.METRICS_PORT !== undefined && { port: values.METRICS_PORT }),
      maxServices: values.METRICS_MAX_SERVICES,
    },
    alerts: {
      ...(values.ALERT_WEBHOOK_URL !== undefined && {
        webhook: { url: values.ALERT_WEBHOOK_URL, secret: values.ALERT_WEBHOOK_SECRET! },
      }),
    },
    shutdown: { graceMs: values.SHUTDOWN_GRACE },
  };
}
