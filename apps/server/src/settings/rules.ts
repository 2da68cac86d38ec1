import { toSeconds } from '#core';
import { complaint, type Resolution, type ResolvedVariable } from './resolve.js';
import type { SettingsProblem } from './problems.js';
import type { VariableName, Variables } from './variables.js';

// What must hold among variables. A rule says nothing while one that it looks at has no good value.

export type Known = Partial<Variables>;

interface Bound {
  readonly of: 'HEARTBEAT_INTERVAL' | 'HEALTH_CHECK_TIMEOUT';
  readonly by: string;
  readonly most: (values: Known) => number | undefined;
}

const BOUNDS: readonly Bound[] = [
  {
    // One lost heartbeat must not end a lease.
    of: 'HEARTBEAT_INTERVAL',
    by: 'half of SERVICE_TTL',
    most: ({ SERVICE_TTL: ttl }) => (ttl === undefined ? undefined : Math.floor(ttl / 2)),
  },
  { of: 'HEALTH_CHECK_TIMEOUT', by: 'HEALTH_CHECK_INTERVAL', most: (values) => values.HEALTH_CHECK_INTERVAL },
];

/** A default gives way to what the operator has written; what is written is never changed. */
export function applyBounds(resolution: Resolution): Resolution {
  const values: Record<string, unknown> = { ...resolution.values };
  const problems = [...resolution.problems];
  const lowered = new Map<string, ResolvedVariable>();
  for (const { of, by, most } of BOUNDS) {
    const known = values as Known;
    const limit = most(known);
    if (limit === undefined || known[of] === undefined || known[of] <= limit) continue;
    const variable = resolution.variables.find(({ name }) => name === of)!;
    const seconds = `${toSeconds(limit)}s`;
    if (variable.written) {
      problems.push(complaint(variable, `must be at most ${seconds}, ${by}`));
    } else {
      values[of] = limit;
      lowered.set(of, { ...variable, value: seconds, source: `${variable.source}, lowered to ${by}` });
    }
  }
  return { values, problems, variables: resolution.variables.map((each) => lowered.get(each.name) ?? each) };
}

interface Rule {
  /** The variable that is complained about. */
  readonly of: VariableName;
  readonly broken: (values: Known) => boolean;
  readonly message: string;
}

const RULES: readonly Rule[] = [
  ...(['TLS_CERT_FILE', 'TLS_KEY_FILE'] as const).map((of) => ({
    of,
    broken: ({ TLS_ENABLED: enabled, [of]: path }: Known) => enabled === true && path === undefined,
    message: 'is needed with TLS_ENABLED',
  })),
  ...(['TLS_CERT_FILE', 'TLS_KEY_FILE', 'TLS_CA_FILE'] as const).map((of) => ({
    of,
    broken: ({ TLS_ENABLED: enabled, [of]: path }: Known) => enabled === false && path !== undefined,
    message: 'has no effect without TLS_ENABLED=true',
  })),
  {
    of: 'ALERT_WEBHOOK_SECRET',
    broken: ({ ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: secret }) => url !== undefined && secret === undefined,
    message: 'is needed with ALERT_WEBHOOK_URL: whoever is told must know who tells',
  },
  {
    of: 'SERVICE_PORT',
    broken: ({ SERVICE_PORT: port, ENVIRONMENT: profile }) => port === 0 && profile !== undefined && profile !== 'test',
    message: 'must be from 1 to 65535; 0, a free port, is for ENVIRONMENT=test',
  },
  {
    of: 'METRICS_PORT',
    broken: ({ METRICS_PORT: port, ENVIRONMENT: profile }) => port === 0 && profile !== undefined && profile !== 'test',
    message: 'must be from 1 to 65535; 0, a free port, is for ENVIRONMENT=test',
  },
];

export function brokenRules({ values, variables }: Resolution): SettingsProblem[] {
  return RULES.filter((rule) => rule.broken(values as Known)).map(({ of, message }) =>
    complaint(
      variables.find(({ name }) => name === of)!,
      message,
    ),
  );
}
