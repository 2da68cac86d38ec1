import { isIP } from 'node:net';
import { addressField, portField, type AddressGuard } from '#core';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Of `host:port` or `[IPv6]:port`; undefined when it is neither. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const [, ipv6, name, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const endpoint = { host: ipv6 ?? name ?? '', port: Number(port) };
  const valid = addressField.safeParse(endpoint.host).success && portField.safeParse(endpoint.port).success;
  return valid ? endpoint : undefined;
}

/** Of a URL, as `net` has it. */
export function hostIn({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** An address of the host that the guard has checked, for what connects by itself. Rejects with what the guard says. */
export function resolved(guard: AddressGuard, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    checkLiteral(guard, host);
    if (isIP(host) !== 0) resolve(host);
    else guard.lookup(host, { all: false }, (error, address) => (error ? reject(error) : resolve(address as string)));
  });
}

/**
 * To be called before connecting: a socket never looks an address up, so the guard's `lookup` sees names alone.
 * @throws What the guard throws.
 */
export function checkLiteral(guard: AddressGuard, host: string): void {
  if (isIP(host) !== 0) guard.check(host);
}

/** What the guard says against a host before anything is looked up: of a name it is nothing yet. */
export function refusalOf(guard: AddressGuard, host: string): string | undefined {
  try {
    checkLiteral(guard, host);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
