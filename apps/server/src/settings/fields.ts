import { BlockList, isIPv6 } from 'node:net';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { addressField, parseDuration, portField, serviceNameField } from '#core';

// How a variable's text is read. Every message completes "NAME=value: …".

/** The longest delay that a timer of Node takes is 2^31 − 1 ms; it fires at once for a longer one. */
const LONGEST_DELAY_MS = 24 * 86_400_000;

function setting<T>(allowed: string, parse: (text: string) => T | undefined) {
  return z.string({ error: allowed }).transform((text, context): T => {
    const value = parse(text.trim());
    if (value !== undefined) return value;
    context.addIssue(allowed);
    return z.NEVER;
  });
}

export function oneOf<const T extends string>(values: readonly T[], synonyms: Readonly<Record<string, T>> = {}) {
  const meanings = new Map([...values.map((value) => [value, value] as const), ...Object.entries(synonyms)]);
  return setting(`must be one of ${values.join(', ')}`, (text) => meanings.get(text));
}

/** Names of the list, parted by commas; or `all`, or `none` of them. */
export function someOf(names: readonly string[]) {
  return setting(`must be all, none, or some of ${names.join(', ')}, parted by commas`, (text) => {
    if (text === 'all') return names;
    if (text === 'none') return [];
    const chosen = namesIn(text);
    return chosen.every((name) => names.includes(name)) ? chosen : undefined;
  });
}

const FLAGS = new Map([
  ...['true', '1', 'yes', 'on'].map((word) => [word, true] as const),
  ...['false', '0', 'no', 'off'].map((word) => [word, false] as const),
]);

export function flag() {
  return setting('must be true or false (or 1, yes, on; 0, no, off)', (text) => FLAGS.get(text.toLowerCase()));
}

export function integer(min: number, max = Number.MAX_SAFE_INTEGER) {
  const allowed = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return setting(`must be an integer ${allowed}`, (text) => within(/^\d+$/.test(text) ? Number(text) : NaN, min, max));
}

export function decimal(min: number, max: number) {
  return setting(`must be a number from ${min} to ${max}`, (text) =>
    within(/^\d*\.?\d+$/.test(text) ? Number(text) : NaN, min, max),
  );
}

/** Milliseconds. */
export function duration(minMs = 0) {
  const least = minMs === 0 ? '' : `at least ${minMs / 1_000} s and `;
  const allowed = `must be seconds or a duration such as "10s" or "1m30s", ${least}at most ${LONGEST_DELAY_MS / 86_400_000} days`;
  return setting(allowed, (text) => within(parseDuration(text) ?? NaN, minMs, LONGEST_DELAY_MS));
}

function within(value: number, min: number, max: number): number | undefined {
  return value >= min && value <= max ? value : undefined;
}

/** Any case, and Python's names too. */
export function logLevel<const T extends string>(levels: readonly T[], synonyms: Readonly<Record<string, T>>) {
  const level = oneOf(levels, synonyms);
  return z.string().toLowerCase().pipe(level);
}

export function serviceName() {
  return z.string().trim().pipe(serviceNameField);
}

export function host() {
  return z.string().trim().pipe(addressField);
}

export function secret(least: number) {
  return setting(`must be at least ${least} characters`, (text) => (text.length >= least ? text : undefined));
}

export function httpUrl() {
  return setting('must be a URL with http: or https:', (text) =>
    URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? text : undefined,
  );
}

/** A path, absolute or from the working directory. */
export function folder() {
  return setting('must be a path', (text) => (text === '' ? undefined : text));
}

export function absolutePath() {
  return setting('must be an absolute path', (text) => (isAbsolute(text) ? text : undefined));
}

/** What npm takes for the name of a package, in its scope or in none. */
const PACKAGE = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;

/** Names of packages, parted by commas; blanks around them and empty parts do not count. */
export function packages() {
  return setting('must be names of packages, parted by commas', (text) => {
    const names = namesIn(text);
    return names.every((name) => PACKAGE.test(name)) ? names : undefined;
  });
}

function namesIn(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

export interface HostAndPort {
  readonly host: string;
  readonly port?: number;
}

/** `host`, `host:port`, `2001:db8::1` or `[2001:db8::1]:port`. */
export function hostAndPort() {
  return setting('must be a host or host:port, an IPv6 address before a port in brackets', (text) => {
    if (isIPv6(text)) return { host: text };
    const { host, v6, port } = /^(?:\[(?<v6>[^\]]*)\]|(?<host>[^:[\]]+))(?::(?<port>\d+))?$/.exec(text)?.groups ?? {};
    const parsed: HostAndPort = { host: v6 ?? host ?? '', ...(port !== undefined && { port: Number(port) }) };
    const valid =
      (v6 === undefined || isIPv6(v6)) &&
      addressField.safeParse(parsed.host).success &&
      portField.optional().safeParse(parsed.port).success;
    return valid ? parsed : undefined;
  });
}

/** Networks in CIDR notation; a bare address is the network of it alone. */
export function networks() {
  const cidr = z.union([z.cidrv4(), z.cidrv6()]);
  return setting('must be networks such as 10.0.0.0/8 or fd00::/8, parted by commas', (text) => {
    const parts = text.split(',').map((part) => part.trim());
    const written = parts.filter((part) => part !== '').map((part) => (part.includes('/') ? part : alone(part)));
    return written.every((network) => cidr.safeParse(network).success) ? written : undefined;
  });
}

function alone(address: string): string {
  return `${address}/${isIPv6(address) ? 128 : 32}`;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8);
LOOPBACK.addAddress('::1', 'ipv6');

export function isLoopback(host: string): boolean {
  return host.toLowerCase() === 'localhost' || LOOPBACK.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}
