import type { AddressInfo } from 'node:net';
import fastify from 'fastify';

// A program: bare Fastify with one route that always answers the same bytes and headers.

export interface ConstantAnswer {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly route: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const app = fastify({ logger: false });

process.on('disconnect', () => process.exit());
process.on('message', (message: ConstantAnswer | { cost: true }) => {
  if ('cost' in message) tellCost();
  else void serve(message);
});

async function serve({ method, route, status, headers, body }: ConstantAnswer): Promise<void> {
  const bytes = Buffer.from(body);
  app.route({
    method,
    url: route,
    handler: (_request, reply) => void reply.code(status).headers(headers).send(bytes),
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  process.send!({ port: (app.server.address() as AddressInfo).port });
}

function tellCost(): void {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  process.send!({ cpuSeconds: (user + system) / 1e6, rssBytes: rss, heapBytes: heapUsed });
}
