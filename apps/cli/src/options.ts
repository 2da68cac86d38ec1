import { InvalidArgumentError, type Command } from 'commander';
import type { Query } from './api/api.js';

// What several commands take, and how it is read. What values mean is the server's to judge.

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

export function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** `500ms`, `10s`, `2m`, or seconds. */
export function milliseconds(text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('It looks like 500ms, 10s or 2m.');
  return Number(number) * UNITS_MS[unit]!;
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It is a whole number.');
  return Number(text);
}

/** `--metadata key=value`, repeated. */
export function pairs(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined) throw new InvalidArgumentError('It looks like key=value.');
  return { ...before, [key]: value! };
}

export interface FilterOptions {
  readonly tags?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly healthy?: boolean;
  readonly region?: string;
  readonly zone?: string;
}

export function withFilters(command: Command): Command {
  return withSelection(command)
    .option('--healthy', 'only those that are passing or warning')
    .option('--region <region>', 'only those there')
    .option('--zone <zone>', 'only those there');
}

export function withSelection(command: Command): Command {
  return command
    .option('--tags <tags>', 'only those with all of these tags: a,b,!c')
    .option('--metadata <key=value>', 'only those with this metadata; repeatable', pairs);
}

export function filterOf({ tags, metadata = {}, healthy, region, zone }: FilterOptions): Query {
  const byMetadata = Object.entries(metadata).map(([key, value]) => [`metadata.${key}`, value]);
  return { tags, healthy_only: healthy, region, zone, ...(Object.fromEntries(byMetadata) as Query) };
}

/** Of an instance that is to be registered. */
export interface InstanceOptions {
  readonly id?: string;
  readonly host?: string;
  readonly port: number;
  readonly protocol?: string;
  readonly path?: string;
  readonly tag?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly weight?: number;
  readonly region?: string;
  readonly zone?: string;
  readonly check?: string;
  readonly interval?: string;
}

export function withInstance(command: Command): Command {
  return command
    .requiredOption('-p, --port <port>', 'where it listens', wholeNumber)
    .option('--host <address>', 'where it is reached; this machine, as the server sees it, without it')
    .option('--id <id>', 'of the instance; made of service, host and port without it')
    .option('--protocol <protocol>', 'http without it')
    .option('--path <path>', 'in front of all of its paths')
    .option('-t, --tag <tag>', 'repeatable', collected)
    .option('--metadata <key=value>', 'repeatable', pairs)
    .option('--weight <number>', 'share of weighted strategies', wholeNumber)
    .option('--region <region>', 'where it is')
    .option('--zone <zone>', 'where it is')
    .option('--check <url>', 'checked by the server: a path or URL by HTTP, `tcp`, or `grpc`')
    .option('--interval <duration>', 'between two checks');
}

/** As `POST /services` takes it. */
export function checkOf({ check, interval }: InstanceOptions): Record<string, unknown> | undefined {
  if (check === undefined) return undefined;
  if (check === 'tcp' || check === 'grpc') return { type: check, interval };
  return { type: 'http', [check.startsWith('/') ? 'http_path' : 'url']: check, interval };
}
