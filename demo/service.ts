import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

// A program: a small service that registers itself, sends heartbeats, and misbehaves when it is told to.

/** How it answers when it is asked for its health. */
export type Mood = 'well' | 'hanging' | 'busy';

const [registry = '', name = '', id = ''] = process.argv.slice(2);
const HEARTBEAT_MS = 2_000;
/** Longer than the timeout of its check. */
const HANGING_MS = 3_000;

let mood: Mood = 'well';

const server = createServer((_request, response) => answer(response));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

await register();
// One that fails is made up for by the next.
setInterval(() => void heartbeat().catch(() => undefined), HEARTBEAT_MS);
process.on('message', (told: { mood: Mood }) => (mood = told.mood));
process.on('disconnect', () => process.exit());
process.once('SIGTERM', () => void leave().finally(() => process.exit()));
process.send!({ registered: id });

function answer(response: ServerResponse): void {
  if (mood === 'hanging') setTimeout(() => response.end('at last'), HANGING_MS);
  else if (mood === 'busy') response.writeHead(429).end(JSON.stringify({ load_percentage: 0.95 }));
  else response.end('OK');
}

async function register(): Promise<void> {
  const { port } = server.address() as AddressInfo;
  await ask('POST', '/api/v1/services', {
    name,
    id,
    host: '127.0.0.1',
    port,
    ttl: '20s',
    health_check: {
      http_path: '/health',
      interval: '1s',
      timeout: '1s',
      deregister_critical_service_after: '8s',
    },
  });
}

async function heartbeat(): Promise<void> {
  const status = await ask('PUT', `/api/v1/services/${name}/instances/${id}/heartbeat`);
  if (status === 404) await register();
}

async function leave(): Promise<void> {
  await ask('DELETE', `/api/v1/services/${name}/instances/${id}`);
}

async function ask(method: string, path: string, body?: object): Promise<number> {
  const init = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(registry + path, { method, ...init });
  await response.body?.cancel();
  return response.status;
}
