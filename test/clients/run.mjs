// Runs other people's clients against a server of its own. Fails as well when there is no Python 3 with venv.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServer } from '../support/own-server.mjs';
import { pythonWith } from '../support/python.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const python = pythonWith('websockets', '17.4');
const { server, url } = await startServer();
try {
  const client = spawn(python, [join(here, 'websockets_client.py'), url], { stdio: 'inherit' });
  const [code] = await once(client, 'exit');
  process.exitCode = code ?? 1;
} finally {
  server.kill();
}
