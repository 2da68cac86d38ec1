import { isInjectedPort, textOf, type Environment } from './environment.js';
import { nearest } from './nearest.js';
import { NOT_USED } from './not-used.js';
import { shown } from './problems.js';

const OUR_PREFIXES = /^(SERVICE_DISCOVERY|HEALTH_CHECK|MASS_LOSS|REGISTRY)_/;
const LONGEST_NAME = 100;
/** A name with so many letters wrong, whatever its prefix, is taken for a misspelt one of ours. */
const MISSPELT = 2;

/** Names under our prefixes that others give a meaning to. */
const OF_OTHERS = [
  // What Kubernetes injects for a Service, say `service-discovery` or `registry`.
  /_SERVICE_(HOST|PORT)(_|$)/,
  /_PORT_\d+_(TCP|UDP|SCTP)(_|$)/,
  // The client reads these.
  /^SERVICE_DISCOVERY_(CIRCUIT_BREAKER|RETRY)_/,
  // An option of the registries that have a place to put it, and as such no mistake on one that has none.
  /^REGISTRY_PREFIX$/,
];

export interface Names {
  /** Every name that the chosen settings are read from. */
  readonly read: readonly string[];
  /** Every name that has a meaning here, those of other backends too. */
  readonly known: readonly string[];
}

/** What the operator should know of, though it stops nothing. */
export function warningsOf(environment: Environment, { read, known }: Names): string[] {
  return [
    ...read
      .filter((name) => isInjectedPort(environment, name))
      .map((name) => `${name}=${shown(environment[name]!, false)} is ignored: Kubernetes injects it for a Service`),
    ...Object.entries(NOT_USED)
      .filter(([name]) => textOf(environment, name) !== undefined)
      .map(([name, why]) => `${name} ${why}`),
    ...unknownNames(environment, new Set(known)).map((name) => unknownWarning(name, known)),
  ];
}

function unknownNames(environment: Environment, known: ReadonlySet<string>): string[] {
  return Object.keys(environment)
    .filter((name) => !known.has(name) && textOf(environment, name) !== undefined)
    .filter((name) => OUR_PREFIXES.test(name) || isMisspelt(name, known))
    .filter((name) => !OF_OTHERS.some((pattern) => pattern.test(name)))
    .sort();
}

function isMisspelt(name: string, known: ReadonlySet<string>): boolean {
  return name.length <= LONGEST_NAME && nearest(name, [...known], MISSPELT) !== undefined;
}

function unknownWarning(name: string, known: readonly string[]): string {
  const label = shown(name, false);
  const suggestion = name.length <= LONGEST_NAME ? nearest(name, known) : undefined;
  return suggestion === undefined ? `${label} is not known` : `${label} is not known; did you mean ${suggestion}?`;
}
