import { execFile } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { register } from '../support/instances.js';
import { endProcesses, temporaryFolder } from '../support/process.js';
import { TestServer } from '../support/server.js';
import { Sdctl, sdctlProgram } from './support/sdctl.js';

const run = promisify(execFile);

/** Asks as bash does after a tab, at the end of the last word. */
const ASK = `
  source <(sdctl completion bash)
  COMP_WORDS=(sdctl "$@") COMP_CWORD=$#
  _sdctl
  printf '%s\\n' "\${COMPREPLY[@]}"
`;

let server: TestServer;
let folder: string;

beforeAll(async () => {
  server = await TestServer.start();
  await register(server.http, { service_name: 'orders' });
  await register(server.http, { service_name: 'shop' });
  folder = await temporaryFolder();
  const command = join(folder, 'sdctl');
  await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' '${sdctlProgram()}' "$@"\n`);
  await chmod(command, 0o755);
});
afterAll(async () => {
  await server.stop();
  await endProcesses();
});

async function completed(...words: readonly string[]): Promise<string[]> {
  const env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder, SERVICE_DISCOVERY_URL: server.url };
  const { stdout } = await run('bash', ['--norc', '-c', ASK, 'bash', ...words], { env });
  return stdout.trimEnd().split('\n');
}

it.each([
  [['ser'], ['services']],
  [
    ['config', ''],
    ['get', 'set', 'history', 'rollback'],
  ],
  [['config', 'get', '--re'], ['--resolved']],
  [['services', '--ser'], ['--server']],
  [
    ['services', '-o', ''],
    ['table', 'json', 'yaml', 'name'],
  ],
  [
    ['maintenance', 'o'],
    ['on', 'off', 'orders'],
  ],
  [['instances', '-o', 'json', 'or'], ['orders']],
  [['config', 'get', 'sh'], ['shop']],
])('bash completes %j', async (words, offered) => {
  const completions = await completed(...words);
  expect(completions).toEqual(expect.arrayContaining(offered));
  const begun = words.at(-1)!;
  for (const word of completions) expect(word.startsWith(begun)).toBe(true);
});

it('knows each shell by name, and no other', async () => {
  const sdctl = new Sdctl(server.url);
  for (const shell of ['zsh', 'fish']) {
    const { code, stdout } = await sdctl.run(['completion', shell]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('rollback')]);
  }
  expect(await sdctl.run(['completion', 'tcsh'])).toMatchObject({ code: 1 });
});
