import type { BackendModule } from '#core';
import { ALIASES } from './aliases.js';
import { readAuthentication } from './authentication.js';
import { readBackendOptions } from './backend-options.js';
import { textOf, type Environment } from './environment.js';
import { deepFreeze } from './freeze.js';
import { NOT_USED } from './not-used.js';
import { SettingsError } from './problems.js';
import { PROFILE_DEFAULTS } from './profiles.js';
import { resolve, type ProfileChoice, type ResolvedVariable } from './resolve.js';
import { applyBounds, brokenRules } from './rules.js';
import { toSettings, type Settings } from './settings.js';
import { OPEN_TELEMETRY, readTracing, toTracing } from './tracing.js';
import { variables, type Choices, type Variables } from './variables.js';
import { warningsOf } from './warnings.js';

export interface LoadedSettings {
  readonly settings: Settings;
  /** A sentence each, for the log. They name values of no secret. */
  readonly warnings: readonly string[];
  /** Every variable that counts, with where its value came from, for `describeSettings`. */
  readonly variables: readonly ResolvedVariable[];
}

/**
 * Reads the environment, the chosen backend's variables included. What is not set takes the
 * profile's default, or the variable's; a default is lowered where what is written asks for it.
 * @throws SettingsError which lists everything that is wrong.
 */
export function loadSettings(environment: Environment, seams: Choices): LoadedSettings {
  const schema = variables(seams);
  const profile = chosenProfile(environment, schema.shape.ENVIRONMENT);
  const server = applyBounds(resolve(schema.shape, environment, profile));
  const backend = seams.backends.find(({ type }) => type === server.values.REGISTRY_TYPE);
  const registry = backend && readBackendOptions(backend, environment, profile);
  const authentication = readAuthentication(server, seams.schemes, environment, profile);

  const tracing = server.values.TRACING_ENABLED === true ? readTracing(environment, profile) : undefined;

  const problems = [
    ...server.problems,
    ...brokenRules(server),
    ...(registry?.problems ?? []),
    ...authentication.problems,
    ...(tracing?.problems ?? []),
  ];
  if (problems.length > 0 || !backend || !registry) throw new SettingsError(problems);

  // Without a problem, every variable has a value.
  const values = server.values as Variables;
  return deepFreeze({
    settings: {
      ...toSettings(values, registry, authentication.settings),
      ...(tracing && { tracing: toTracing(tracing.options, values.SERVICE_NAME) }),
    },
    warnings: [
      ...warningsOf(environment, namesOf(Object.keys(schema.shape), backend, seams)),
      ...authentication.warnings,
    ],
    variables: [...server.variables, ...authentication.variables, ...registry.variables, ...(tracing?.variables ?? [])],
  });
}

/** A profile that is not one is reported with the other problems; until then the default's count. */
function chosenProfile(
  environment: Environment,
  field: ReturnType<typeof variables>['shape']['ENVIRONMENT'],
): ProfileChoice {
  const parsed = field.safeParse(textOf(environment, 'ENVIRONMENT'));
  const name = parsed.success ? parsed.data : field.parse(undefined);
  return { name, defaults: PROFILE_DEFAULTS[name] };
}

function namesOf(ours: readonly string[], chosen: BackendModule, { backends, schemes }: Choices) {
  const ofSchemes = schemes.flatMap(({ options }) => Object.keys(options.shape));
  const server = [...ours, ...Object.keys(ALIASES), ...ofSchemes];
  const options = backends.flatMap((backend) => Object.keys(backend.options.shape));
  return {
    read: [...server, ...Object.keys(chosen.options.shape)],
    known: [...server, ...options, ...Object.keys(OPEN_TELEMETRY.shape), ...Object.keys(NOT_USED)],
  };
}
