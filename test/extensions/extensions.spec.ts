import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { transpileModule, ModuleKind, ScriptTarget } from 'typescript';
import { snippetsOf } from '../../scripts/snippets.mjs';
import { sha256 } from '../support/key-file.js';
import { endProcesses, ServerProcess, temporaryFolder } from '../support/process.js';

const ROOT = resolve(import.meta.dirname, '../..');

/** A folder with packages in its `node_modules`, as npm would leave it. */
async function project(packages: Readonly<Record<string, Readonly<Record<string, string>>>>): Promise<string> {
  const folder = await temporaryFolder();
  const modules = join(folder, 'node_modules');
  await mkdir(modules, { recursive: true });
  await symlink(join(ROOT, 'node_modules/zod'), join(modules, 'zod'));
  for (const [name, files] of Object.entries(packages)) {
    const home = join(modules, name);
    await mkdir(home);
    await writeFile(join(home, 'package.json'), JSON.stringify({ name, type: 'module', exports: './index.js' }));
    for (const [file, code] of Object.entries(files)) await writeFile(join(home, file), code);
  }
  return folder;
}

/** The modules that docs/extending.md shows, as JavaScript. */
async function documented(): Promise<Record<string, string>> {
  const page = await readFile(join(ROOT, 'docs/extending.md'), 'utf8');
  const compilerOptions = { module: ModuleKind.ESNext, target: ScriptTarget.ES2023, experimentalDecorators: true };
  const modules = snippetsOf(page).map(({ name, code }) => [
    name.replace(/\.ts$/, '.js'),
    transpileModule(code, { compilerOptions }).outputText,
  ]);
  return Object.fromEntries(modules) as Record<string, string>;
}

async function get(server: ServerProcess, path: string): Promise<any> {
  const response = await fetch(`${server.url}${path}`);
  return response.json();
}

async function send(server: ServerProcess, method: string, path: string, body?: object): Promise<[number, any]> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return [response.status, await response.json()];
}

describe('extensions', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await project({
      documented: await documented(),
      empty: { 'index.js': 'export const nothing = 1;' },
      failing: { 'index.js': 'throw new Error("of its own")' },
      clashing: {
        'index.js': `export default { strategies: [{ name: 'random', summary: '', create() {} }] };`,
      },
      misshapen: { 'index.js': `export default { probes: [{ type: 'x' }] };` },
    });
  });

  afterEach(endProcesses);

  it('bring a strategy and a probe that work like the others', async () => {
    const server = await ServerProcess.start({ EXTENSIONS: 'documented', DEFAULT_STRATEGY: 'first' }, folder);
    const { data } = await get(server, '/api/v1/capabilities');
    expect(data.strategies).toContainEqual({ name: 'first', summary: expect.any(String) });
    expect(data.default_strategy).toBe('first');

    const check = { dns_name: 'localhost', interval: '5s' };
    for (const id of ['b', 'a']) {
      const body = { name: 'api', id, host: '127.0.0.1', port: 1, health_check: check };
      const [status, answer] = await send(server, 'POST', '/api/v1/services', body);
      expect(status).toBe(201);
      expect(answer.data.health_check).toMatchObject({ type: 'dns', dns_name: 'localhost' });
    }
    for (let i = 0; i < 3; i++) {
      expect((await get(server, '/api/v1/services/api/instance')).data.service_id).toBe('a');
    }
    const [, checked] = await send(server, 'POST', '/api/v1/health/a/check');
    expect(checked.data).toMatchObject({ status: 'passing', output: expect.stringContaining('localhost is ') });
  });

  it('bring a dialect, which is documented and can be left out', async () => {
    const server = await ServerProcess.start({ EXTENSIONS: 'documented' }, folder);
    await send(server, 'POST', '/api/v1/services', { name: 'api', host: '127.0.0.1', port: 1 });
    expect(await get(server, '/plain/where/api')).toEqual({ host: '127.0.0.1', port: 1 });
    expect(await get(server, '/plain/where/none')).toMatchObject({ status: 404, code: 'SERVICE_NOT_FOUND' });
    expect((await get(server, '/docs-json')).paths).toHaveProperty(['/plain/where/{name}']);
    const { data } = await get(server, '/api/v1/capabilities');
    expect(data.dialects).toContainEqual({ name: 'plain', summary: expect.any(String) });

    const without = await ServerProcess.start({ EXTENSIONS: 'documented', DIALECTS: 'heartbeat' }, folder);
    expect(await get(without, '/plain/where/api')).toMatchObject({ status: 404, code: 'NO_SUCH_ROUTE' });
    expect(await get(without, '/v1/discovery/services')).toEqual({ services: {} });
  });

  it('bring an authentication scheme, which says who asks', async () => {
    const users = `ann=${sha256('correct horse')}`;
    const server = await ServerProcess.start({ EXTENSIONS: 'documented', BASIC_USERS: users }, folder);
    const ask = (credential?: string, path = '/api/v1/services') => {
      const basic = `Basic ${Buffer.from(credential ?? '').toString('base64')}`;
      return fetch(`${server.url}${path}`, { headers: credential === undefined ? {} : { authorization: basic } });
    };
    expect((await ask()).status).toBe(401);
    expect((await ask()).headers.get('www-authenticate')).toContain('Basic realm=');
    for (const wrong of ['ann:correct donkey', 'bob:correct horse', 'ann', ':'])
      expect((await ask(wrong)).status).toBe(401);
    expect((await ask('ann:correct horse')).status).toBe(200);
    const capabilities = (await (await ask('ann:correct horse', '/api/v1/capabilities')).json()) as any;
    expect(JSON.stringify(capabilities.data)).toContain('"basic"');
    // As far as its role goes, and no further.
    expect((await ask('ann:correct horse', '/api/v1/audit')).status).toBe(403);
  });

  it('bring a backend, read-only where it has no registrar', async () => {
    const registered = { cause: 'registered', actor: 'file', at: 0 };
    const record = {
      v: 1,
      serviceName: 'api',
      serviceId: 'a',
      address: '10.0.0.1',
      port: 80,
      tags: [],
      metadata: {},
      reported: 'passing',
      registeredAt: 0,
      changed: registered,
    };
    const file = join(folder, 'registry.json');
    await writeFile(file, JSON.stringify([record]));
    const environment = { EXTENSIONS: 'documented', REGISTRY_TYPE: 'file', REGISTRY_FILE: file };
    const server = await ServerProcess.start(environment, folder);
    await server.logged(({ msg }) => msg === 'the view follows the registry', 'the view');
    expect(await get(server, '/api/v1/services/api')).toMatchObject({ data: { total_instances: 1 } });

    const [status, problem] = await send(server, 'POST', '/api/v1/services', { name: 'x', host: 'h', port: 1 });
    expect(status).toBe(501);
    for (const [method, body] of [['PUT', {}], ['GET']] as const) {
      const [refused, problem] = await send(server, method, '/api/v1/config/api', body);
      expect([refused, problem.code]).toEqual([501, 'NOT_SUPPORTED']);
      expect(problem.detail).toContain('keeps no configuration');
    }
    expect(problem).toMatchObject({ code: 'NOT_SUPPORTED' });

    const revision = (await fetch(`${server.url}/api/v1/services`)).headers.get('x-registry-revision')!;
    const change = get(server, `/api/v1/services?index=${revision}&wait=20s`);
    await writeFile(file, JSON.stringify([record, { ...record, serviceId: 'b' }]));
    expect((await change).data[0].total_instances).toBe(2);
  });

  it.each([
    ['missing', /EXTENSIONS: missing cannot be loaded: .*missing/],
    ['failing', /EXTENSIONS: failing cannot be loaded: of its own/],
    ['empty', /EXTENSIONS: the default export of empty is no extension/],
    ['misshapen', /EXTENSIONS: the default export of misshapen is no extension:[^]*probes\[0\]/],
    ['clashing', /EXTENSIONS: clashing brings random, but that name is taken/],
  ])('stop the start when one is wrong: %s', async (name, message) => {
    const { code, stderr } = await ServerProcess.run({ EXTENSIONS: name }, [], folder);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  it('say which variable their backend misses', async () => {
    const { code, stderr } = await ServerProcess.run({ EXTENSIONS: 'documented', REGISTRY_TYPE: 'file' }, [], folder);
    expect(code).toBe(1);
    expect(stderr).toContain('REGISTRY_FILE');
  });
});
