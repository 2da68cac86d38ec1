import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, expect, it } from '@jest/globals';
import { freePort } from '../servers/ports.js';
import { endProcesses, ServerProcess, TEST_MS } from '../support/process.js';
import { until } from '../support/until.js';

afterAll(endProcesses);

// What /dev/full is told, it has no room for. Other systems have no such device.
const onLinux = process.platform === 'linux' ? it : it.skip;

onLinux(
  'a log that cannot be written keeps nobody from being served',
  async () => {
    const full = await open('/dev/full', 'w');
    const port = await freePort();
    const environment = { SERVICE_PORT: String(port), LOG_REQUESTS: 'true' };
    const server = ServerProcess.spawn(environment, [], undefined, full.fd);
    const ready = () => fetch(`http://127.0.0.1:${port}/health/ready`).then(({ status }) => status === 200);
    await until(() => ready().catch(() => false), TEST_MS / 2);
    for (let i = 0; i < 50; i++) expect(await ready()).toBe(true);
    expect(await server.end('SIGTERM')).toEqual({ code: 0, signal: null });
    await full.close();
  },
  TEST_MS,
);

it('a line is out when the process dies of an exception', async () => {
  const program = `
    import { createLogger } from '${new URL('../../dist/libs/telemetry/index.js', import.meta.url).href}';
    createLogger({ level: 'info', format: 'json' }).info('last words');
    throw new Error('broken');
  `;
  const dying = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  await expect(dying).rejects.toMatchObject({ code: 1, stdout: expect.stringContaining('"msg":"last words"') });
});
