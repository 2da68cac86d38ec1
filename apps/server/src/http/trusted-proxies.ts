import { BlockList, isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';

/** Whether an address is of one of the networks; what is none is of no network. @param networks In CIDR notation. */
export function trustIn(networks: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', length] = network.split('/');
    list.addSubnet(address, Number(length), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return (address = '') => {
    const version = networks.length === 0 ? 0 : isIP(address);
    return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4');
  };
}

/** Where a request comes from: as trusted proxies tell, unless what they tell is no address. */
export function addressOf({ ip, raw: { socket } }: FastifyRequest): string {
  return isIP(ip) === 0 ? (socket.remoteAddress ?? '') : ip;
}
