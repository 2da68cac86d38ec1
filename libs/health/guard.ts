import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { AddressGuard } from '#core';
import { networks } from './cidr.js';
import { embeddedIPv4 } from './embedded.js';
import { FORBIDDEN, LOOPBACK } from './forbidden.js';
import { NameLookup, type Lookup } from './name-lookup.js';

export interface GuardOptions {
  /** Whether probes may reach this host itself. */
  readonly allowLoopback: boolean;
  /** What the operator forbids beside what always is: CIDRs or single addresses. */
  readonly denied: readonly string[];
  /** Resolves names; by default the system's resolver, with care for its few threads. */
  readonly lookup?: Lookup;
}

/** No probe may go there. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  readonly code = 'ADDRESS_REFUSED';
}

/**
 * What stands between a caller's word and a connection of ours (server-side request forgery): always
 * refused are link-local, metadata, unspecified, multicast and broadcast addresses; loopback unless
 * allowed; what the operator denies; and every IPv6 form of such an IPv4 address.
 *
 * A name is refused when *any* of its addresses is. Connecting to the others only would let whoever
 * owns the name learn which are forbidden, and hide a mistake in a zone behind luck.
 * @throws Error that names what is wrong with `denied`.
 */
export function createGuard({ allowLoopback, denied, lookup = new NameLookup().lookup }: GuardOptions): AddressGuard {
  const rules = Object.entries({
    ...FORBIDDEN,
    ...(!allowLoopback && { loopback: LOOPBACK }),
    'denied by the operator': denied,
  }).map(([reason, listed]) => ({ reason, list: networks(listed) }));

  function reasonAgainst(address: string): string | undefined {
    const family = isIP(address);
    if (family === 0) return 'not an IP address';
    if (address.includes('%')) return 'bound to a zone';
    const embedded = family === 6 ? embeddedIPv4(address) : undefined;
    const reason = embedded === undefined ? undefined : reasonAgainst(embedded);
    if (reason) return `stands for ${embedded}, which is ${reason}`;
    return rules.find(({ list }) => list.check(address, family === 4 ? 'ipv4' : 'ipv6'))?.reason;
  }

  function check(address: string, name = address): void {
    const reason = reasonAgainst(address);
    if (reason === undefined) return;
    const resolved = name === address ? '' : `resolves to ${address}, which is `;
    throw new AddressRefused(`${name} is refused: ${resolved}${reason}`);
  }

  const guardedLookup: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const refused = error ?? refusal(hostname, addresses);
      const first = refused ? undefined : addresses[0];
      if (!first) callback(refused ?? new AddressRefused(`${hostname} has no address`), []);
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };

  function refusal(hostname: string, addresses: readonly LookupAddress[]): AddressRefused | undefined {
    try {
      for (const { address } of addresses) check(address, hostname);
      return undefined;
    } catch (error) {
      return error as AddressRefused;
    }
  }

  return { check: (address) => check(address), lookup: guardedLookup };
}
