import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

// A program: services that are always well, on several ports, and when each of their paths was asked for.

const PORTS = 4;

process.on('disconnect', () => process.exit());

const seen = new Map<string, number[]>();

const ports = await Promise.all(
  Array.from({ length: PORTS }, async () => {
    const server = createServer((request, response) => {
      const times = seen.get(request.url!) ?? [];
      seen.set(request.url!, times);
      times.push(performance.now());
      response.end('OK');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }),
);

process.on('message', () => process.send!({ ports, times: [...seen.values()] }));
