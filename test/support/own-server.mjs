// The built server as a process of its own, for scripts that are no jest tests.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = join(dirname(fileURLToPath(import.meta.url)), '../../dist/bundle/main.js');

/** On a free port, when it serves. Nothing is probed unless the settings say so: what is registered may be anywhere. */
export async function startServer(settings = {}) {
  const { PATH, HOME } = process.env;
  const env = {
    ...{ PATH, HOME, ENVIRONMENT: 'test', SERVICE_HOST: '127.0.0.1', SERVICE_PORT: '0' },
    ...{ LOG_FORMAT: 'json', LOG_LEVEL: 'info', HEALTH_CHECK_ENABLED: 'false' },
    ...settings,
  };
  const server = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await served(server);
  server.stdout.resume();
  return { server, url };
}

async function served(server) {
  for await (const line of createInterface(server.stdout)) {
    const { msg, url } = JSON.parse(line);
    if (msg === 'serving') return url;
  }
  throw new Error('the server ended before it served');
}
