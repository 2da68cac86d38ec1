import type { AuthenticationModule, Role } from '#core';
import type { Environment } from './environment.js';
import { isLoopback } from './fields.js';
import { readModuleOptions } from './module-options.js';
import type { SettingsProblem } from './problems.js';
import { complaint, type ProfileChoice, type Resolution, type ResolvedVariable } from './resolve.js';
import type { Profile, Variables } from './variables.js';

export interface AuthenticationSettings {
  /** Those that are in force, with what their own schemas have made of their variables. */
  readonly schemes: readonly { readonly name: string; readonly options: Readonly<Record<string, unknown>> }[];
  /** What whoever brings no credential may do. */
  readonly anonymousRole: Role | 'none';
  /** What callers may do beyond what their schemes say. */
  readonly rulesFile?: string;
}

export interface ReadAuthentication {
  readonly settings: AuthenticationSettings;
  readonly variables: readonly ResolvedVariable[];
  readonly problems: readonly SettingsProblem[];
  readonly warnings: readonly string[];
}

/** Names of the schemes that need something of the server too. */
export const CLIENT_CERTIFICATES = 'client-certificate';
export const FORWARDED_CERTIFICATES = 'forwarded-certificate';
/** The older systems ask nobody who reads. */
const READING_IS_OPEN = 'shared-secret';
const GUARDED: readonly (Profile | undefined)[] = ['production', 'kubernetes'];
const HARMLESS: readonly string[] = ['none', 'reader'];

/** Who is asked who they are, and how; and what must hold of it. */
export function readAuthentication(
  server: Resolution,
  modules: readonly AuthenticationModule[],
  environment: Environment,
  profile: ProfileChoice,
): ReadAuthentication {
  const values = server.values as Partial<Variables>;
  const read = modules.map((module) => {
    const chosenBy = { variable: Object.keys(module.options.shape)[0]! };
    return { module, ...readModuleOptions(module.options, environment, profile, chosenBy) };
  });
  const good = read.filter(({ problems }) => problems.length === 0);
  const schemes = good
    .filter(({ module, options }) => module.enabled(options))
    .map(({ module: { name }, options }) => ({ name, options }));
  const settings = {
    schemes,
    anonymousRole: values.ANONYMOUS_ROLE ?? defaultRole(schemes.map(({ name }) => name)),
    ...(values.AUTH_RULES_FILE !== undefined && { rulesFile: values.AUTH_RULES_FILE }),
  };
  const variables = read.flatMap((each) => each.variables);
  const all = { ...server, variables: [...server.variables, ...variables] };
  const own = good.length === read.length ? problemsOf(settings, all) : [];
  return {
    settings,
    variables,
    problems: [...read.flatMap(({ problems }) => problems), ...own],
    warnings: HARMLESS.includes(settings.anonymousRole) ? [] : [openWarning(values as Variables, settings)],
  };
}

function defaultRole(schemes: readonly string[]): Role | 'none' {
  if (schemes.length === 0) return 'admin';
  return schemes.every((name) => name === READING_IS_OPEN) ? 'reader' : 'none';
}

function problemsOf(
  { schemes, anonymousRole, rulesFile }: AuthenticationSettings,
  server: Resolution,
): SettingsProblem[] {
  const values = server.values as Partial<Variables>;
  const { AUTH_DISABLED: disabled, ANONYMOUS_ROLE: asked, ENVIRONMENT: profile, SERVICE_HOST: host } = values;
  const about = (name: string, message: string) =>
    complaint(
      server.variables.find((variable) => variable.name === name)!,
      message,
    );
  const switchedOn = [...schemes.map(({ name }) => name), ...(asked === undefined ? [] : ['ANONYMOUS_ROLE'])];
  if (disabled === true && switchedOn.length > 0)
    return [about('AUTH_DISABLED', `contradicts ${switchedOn.join(', ')}, which would have no effect; unset one`)];
  const isOn = (scheme: string) => schemes.some(({ name }) => name === scheme);
  if (isOn(CLIENT_CERTIFICATES) && values.TLS_ENABLED === false)
    return [about('TLS_CLIENT_CA_FILE', 'has no effect without TLS_ENABLED=true')];
  if (isOn(FORWARDED_CERTIFICATES) && values.TRUSTED_PROXIES?.length === 0)
    return [about('FORWARDED_CERT_ENABLED', 'has no effect without TRUSTED_PROXIES')];
  if (rulesFile !== undefined && schemes.length === 0)
    return [about('AUTH_RULES_FILE', 'has no effect while nobody is asked who they are: switch a scheme on')];
  const servesStrangers = GUARDED.includes(profile) && host !== undefined && !isLoopback(host);
  if (!servesStrangers || disabled !== false || HARMLESS.includes(anonymousRole)) return [];
  return [
    about(
      'SERVICE_HOST',
      'would let everybody who reaches this server write to it: switch authentication on (API_KEY_ENABLED=true, say), ' +
        'bind to loopback (SERVICE_HOST=127.0.0.1), or say that this is meant (AUTH_DISABLED=true)',
    ),
  ];
}

function openWarning({ SERVICE_HOST: host }: Variables, { anonymousRole, schemes }: AuthenticationSettings): string {
  const why = schemes.length === 0 ? 'nobody is asked who they are' : `ANONYMOUS_ROLE=${anonymousRole}`;
  return `${why}: everybody who reaches ${host} may write`;
}
