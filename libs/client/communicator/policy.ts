/** How calls are made to succeed. Times are milliseconds. */
export interface CallPolicy {
  /** Failures in a row after which an instance, or a service, is left alone. */
  readonly failureThreshold: number;
  /** For so long; then one call tries it. */
  readonly recoveryMs: number;
  /** Of one call, the first included. */
  readonly maxAttempts: number;
  /** Before the first retry, twice as long before each further one, at most `maxDelayMs`; at random up to that. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** Retries a call, in the long run: a service that is down is not asked twice as often. */
  readonly retryShare: number;
  /** Of a service's instances, more are not left alone at once: when most fail, it is hardly they. */
  readonly maxEjectedShare: number;
  /** For one attempt, and for the call with all its attempts. */
  readonly attemptTimeoutMs: number;
  readonly deadlineMs: number;
}

const STANDARD: CallPolicy = {
  failureThreshold: 5,
  recoveryMs: 60_000,
  maxAttempts: 3,
  baseDelayMs: 1_000,
  maxDelayMs: 60_000,
  retryShare: 0.2,
  maxEjectedShare: 0.5,
  attemptTimeoutMs: 5_000,
  deadlineMs: 30_000,
};

/** By what is called: read them, or spread one into a policy of your own. */
export const PRESETS = {
  standard: STANDARD,
  /** Somebody waits for the page. */
  web: { ...STANDARD, baseDelayMs: 50, maxDelayMs: 500, attemptTimeoutMs: 1_000, deadlineMs: 3_000 },
  app: { ...STANDARD, baseDelayMs: 100, maxDelayMs: 2_000, attemptTimeoutMs: 3_000, deadlineMs: 10_000 },
  /** A store recovers sooner when it is asked less. */
  data: { ...STANDARD, maxAttempts: 2, baseDelayMs: 250, attemptTimeoutMs: 10_000, retryShare: 0.1 },
  /** Answers take their time. */
  ml: { ...STANDARD, maxAttempts: 2, attemptTimeoutMs: 60_000, deadlineMs: 120_000 },
  /** What is missed now is asked for again anyway. */
  monitoring: { ...STANDARD, maxAttempts: 1, attemptTimeoutMs: 2_000, deadlineMs: 2_000 },
} as const satisfies Readonly<Record<string, CallPolicy>>;

const PREFIX = 'SERVICE_DISCOVERY_';
const VARIABLES = [
  ['CIRCUIT_BREAKER_FAILURE_THRESHOLD', 'failureThreshold', 1],
  ['CIRCUIT_BREAKER_RECOVERY_TIMEOUT', 'recoveryMs', 1_000],
  ['RETRY_MAX_ATTEMPTS', 'maxAttempts', 1],
  ['RETRY_BASE_DELAY', 'baseDelayMs', 1_000],
  ['RETRY_MAX_DELAY', 'maxDelayMs', 1_000],
] as const;

/** The policy with what the environment says, in seconds where it is a time. @throws RangeError that names the variable. */
export function policyFrom(
  environment: Readonly<Record<string, string | undefined>>,
  preset: CallPolicy = STANDARD,
): CallPolicy {
  const said = VARIABLES.flatMap(([variable, field, unit]) => {
    const text = environment[PREFIX + variable];
    if (text === undefined || text === '') return [];
    const value = Number(text);
    const least = field === 'failureThreshold' || field === 'maxAttempts' ? 1 : 0;
    if (!(value >= least && value < Infinity))
      throw new RangeError(`${PREFIX}${variable}=${text}: must be a number of at least ${least}`);
    return [[field, value * unit] as const];
  });
  return { ...preset, ...Object.fromEntries(said) };
}
