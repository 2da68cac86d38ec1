import { once } from 'node:events';
import { connect } from 'node:net';
import { Answer } from './http-client.js';

/** Sends bytes that no client library would send, and reads what comes until the server ends the connection. */
export async function sendRaw(url: string, bytes: string | Buffer): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await once(socket, 'connect');
  socket.write(bytes);
  // A reset after the answer is what a server does to a sender that does not listen.
  await once(socket, 'close').catch(() => undefined);
  return parse(Buffer.concat(chunks).toString());
}

/** Sends the beginning of something and goes away. */
export async function hangUp(url: string, bytes: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, 'connect');
  await new Promise((sent) => socket.write(bytes, sent));
  socket.destroy();
  await once(socket, 'close');
}

function parse(text: string): Answer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [start = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return new Answer(Number(start.split(' ')[1]), Object.fromEntries(headers), rest.join('\r\n\r\n'));
}
