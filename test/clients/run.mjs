// Runs other people's clients against a server of its own. Fails as well when there is no Python 3 with venv.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServer } from '../support/own-server.mjs';
import { pythonWith } from '../support/python.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const httpx = pythonWith('httpx', '0.28.1');
const clients = [
  [pythonWith('websockets', '17.4'), 'websockets_client.py'],
  [httpx, 'heartbeat_client.py'],
  [httpx, 'gateway_client.py'],
];
// The clients of older systems are probed: what they register is on loopback.
const { server, url } = await startServer({ HEALTH_CHECK_ENABLED: 'true' });
try {
  for (const [python, script] of clients) {
    const client = spawn(python, ['-B', join(here, script), url], { stdio: 'inherit' });
    const [code] = await once(client, 'exit');
    process.exitCode ||= code ?? 1;
  }
} finally {
  server.kill();
}
