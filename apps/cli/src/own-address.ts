import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** The address of this machine on the way to a server. Nothing is sent. */
export async function ownAddressTowards(server: string): Promise<string> {
  const { hostname, port, protocol } = new URL(server);
  const host = hostname.replace(/^\[|\]$/g, '');
  const socket = createSocket({
    type: host.includes(':') ? 'udp6' : 'udp4',
  });
  try {
    socket.connect(Number(port) || (protocol === 'https:' ? 443 : 80), host);
    await once(socket, 'connect');
    return socket.address().address;
  } finally {
    socket.close();
  }
}
