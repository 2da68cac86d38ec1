import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * The networks as one list to check addresses against.
 * @param networks CIDRs (`10.0.0.0/8`, `fd00::/8`) or single addresses.
 * @throws Error that names the first which is neither.
 */
export function networks(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) add(list, network.trim());
  return list;
}

function add(list: BlockList, network: string): void {
  const [, address = '', length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(network) ?? [];
  const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined;
  const bits = family === 'ipv4' ? 32 : 128;
  const prefix = length === undefined ? bits : Number(length);
  if (!family || prefix > bits) {
    throw new Error(`"${network}" is not a network: give an address or a CIDR such as 10.0.0.0/8 or fd00::/8`);
  }
  list.addSubnet(address, prefix, family);
}
