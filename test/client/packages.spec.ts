import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { build, transform } from 'esbuild';
import { snippetsOf } from '../../scripts/snippets.mjs';
import { freePort } from '../servers/ports.js';
import type { Instance } from '../support/instances.js';
import { TEST_MS } from '../support/process.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { Project } from './support/project.js';

const CLIENT = '@service-discovery/client';

/** Compilers and installations take their time on a busy machine. */
jest.setTimeout(TEST_MS);

let project: Project;
beforeAll(async () => {
  const { dependencies, devDependencies } = JSON.parse(await readFile('package.json', 'utf8'));
  project = await Project.create([
    `@types/node@${devDependencies['@types/node']}`,
    `@nestjs/platform-fastify@${dependencies['@nestjs/platform-fastify']}`,
    `reflect-metadata@${dependencies['reflect-metadata']}`,
  ]);
});
afterAll(() => project.remove());

/** Registers, finds itself and says so. */
const PROGRAM = `
async function main() {
  const client = new DiscoveryClient({ servers: [process.env.SERVER] });
  await client.register({ service: 'web', id: process.argv[1], host: '127.0.0.1', port: 8080 });
  await client.ready();
  console.log(client.pick('web').instance.serviceId, ServiceCommunicator.name, PRESETS.web.maxAttempts);
  await client.close();
}
main();`;

/** Finds what a test has put there. */
const TESTED = `
async function main() {
  const discovery = await startDiscovery();
  discovery.register({ service: 'web', id: 'me', host: '127.0.0.1', port: 8080 });
  const client = new DiscoveryClient({ servers: [discovery.url] });
  await client.ready();
  console.log(client.pick('web').instance.serviceId);
  await client.close();
  await discovery.stop();
}
main();`;

/** Is registered as soon as it listens. */
const NEST = `
class App {}
Module({ imports: [ServiceDiscoveryModule.forRoot({ servers: [process.env.SERVER] })] })(App);
RegisterApp({ service: 'web', host: '127.0.0.1', drainMs: 0 })(App);
async function main() {
  const app = await NestFactory.create(App, new FastifyAdapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  for await (const [instance] of app.get(DiscoveryClient).watch('web')) {
    if (!instance) continue;
    console.log(instance.serviceName);
    break;
  }
  await app.close();
}
main();`;

/** Right but for the lines that say so. */
const TYPED = `
import { DiscoveryClient, PRESETS, ServiceCommunicator, type Instance } from '${CLIENT}';
import { startDiscovery } from '${CLIENT}/testing';
const client = new DiscoveryClient({ servers: ['http://localhost:8090'] });
export const instance: Instance | undefined = client.instances('web')[0];
const services = new ServiceCommunicator(client, { policy: { ...PRESETS.web, maxAttempts: 2 } });
export const user: Promise<{ name: string }> = services.callJson<{ name: string }>({ service: 'users', path: '/1' });
export const found: Promise<Instance> = startDiscovery().then((discovery) => discovery.registered('web'));
// @ts-expect-error A port is a number.
void client.register({ service: 'web', host: 'localhost', port: '80' });
// @ts-expect-error There is no such member.
export const none = client.transport;`;

const LOADED = [
  ['mjs', (names: string, from: string) => `import { ${names} } from '${from}';`],
  ['cjs', (names: string, from: string) => `const { ${names} } = require('${from}');`],
] as const;

describe('the package', () => {
  it('depends on what it uses, and on nothing of the server', async () => {
    const manifest = JSON.parse(await readFile(join(project.folder, 'node_modules', CLIENT, 'package.json'), 'utf8'));
    expect(Object.keys(manifest.dependencies)).toEqual(['cockatiel', 'lru-cache']);
    expect(manifest).toMatchObject({ license: 'MIT', sideEffects: false });
    expect(manifest.private).toBeUndefined();
  });

  it.each([
    ['imported', 'mjs', `import { DiscoveryClient, PRESETS, ServiceCommunicator } from '${CLIENT}';`],
    ['required', 'cjs', `const { DiscoveryClient, PRESETS, ServiceCommunicator } = require('${CLIENT}');`],
  ])('works where it is %s', async (_how, extension, head) => {
    const server = await TestServer.start();
    try {
      const program = await project.write(`program.${extension}`, head + PROGRAM.replace('argv[1]', 'argv[2]'));
      expect(await project.node([program, 'me'], { SERVER: server.url })).toBe('me ServiceCommunicator 3\n');
    } finally {
      await server.stop();
    }
  });

  it('has types for each way to resolve them', async () => {
    for (const tarball of project.tarballs)
      expect(await project.tool('@arethetypeswrong/cli/dist/index.js', tarball, '--profile', 'node16')).toContain(
        'No problems found',
      );
  });

  it.each([
    ['NodeNext', ['mts', 'cts'], { module: 'NodeNext', types: ['node'] }],
    ['bundler', ['ts'], { module: 'ESNext', moduleResolution: 'bundler', lib: ['ES2023', 'DOM'], types: [] }],
  ])('has types that hold under strict checks: %s', async (_resolution, extensions, options) => {
    const files = await Promise.all(extensions.map((extension) => project.write(`typed.${extension}`, TYPED)));
    const compilerOptions = { target: 'ES2022', strict: true, noEmit: true, ...options };
    await project.write('tsconfig.json', JSON.stringify({ compilerOptions, files }));
    expect(await project.tool('typescript/bin/tsc', '-p', '.')).toBe('');
  });

  it.each(LOADED)('is a module of Nest in .%s', async (extension, load) => {
    const server = await TestServer.start();
    try {
      const program = await project.write(
        `nest.${extension}`,
        [
          load('Module', '@nestjs/common'),
          load('NestFactory', '@nestjs/core'),
          load('FastifyAdapter', '@nestjs/platform-fastify'),
          load('DiscoveryClient', CLIENT),
          load('RegisterApp, ServiceDiscoveryModule', `${CLIENT}-nest`),
          NEST,
        ].join('\n'),
      );
      expect(await project.node([program], { SERVER: server.url })).toBe('web\n');
    } finally {
      await server.stop();
    }
  });

  it.each(LOADED)('brings a stand-in for the server in .%s', async (extension, load) => {
    const head = [load('DiscoveryClient', CLIENT), load('startDiscovery', `${CLIENT}/testing`)];
    const program = await project.write(`tested.${extension}`, head.join('\n') + TESTED);
    expect(await project.node([program])).toBe('me\n');
  });

  it('is tested with as its document shows', async () => {
    const page = await readFile('docs/client.md', 'utf8');
    const { code } = await transform(snippetOf(page, 'users.test.ts'), { loader: 'ts' });
    expect(await project.node([await project.write('users.test.mjs', code)])).toContain('pass 2');
  });

  it('registers a server of Fastify as its document shows', async () => {
    const server = await TestServer.start();
    const port = await freePort();
    const page = await readFile('docs/client.md', 'utf8');
    const shown = snippetOf(page, 'fastify.ts').replaceAll('8080', String(port));
    const { code } = await transform(shown.replace('http://localhost:8090', server.url), { loader: 'ts' });
    const program = await project.write('fastify.mjs', code);
    const child = spawn(process.execPath, [program], { stdio: 'inherit' });
    const ended = once(child, 'exit');
    try {
      const beats = async () => {
        const answer = await server.http.get<Instance[]>('/api/v1/services/orders/instances');
        return (
          answer.status === 200 &&
          answer.data.some(({ last_heartbeat, registered_at }) => last_heartbeat !== registered_at)
        );
      };
      // It is registered before it listens for the signal.
      await until(beats, TEST_MS);
      expect(await (await fetch(`http://127.0.0.1:${port}/orders/1`)).json()).toEqual({ id: 1 });
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
      expect((await server.http.get('/api/v1/services/orders')).status).toBe(404);
    } finally {
      child.kill('SIGKILL');
      await server.stop();
    }
  });

  it('goes into a bundle for browsers', async () => {
    const entry = await project.write('browser.mjs', `export { DiscoveryClient } from '${CLIENT}';`);
    // Rejects when anything asks for what only Node has.
    const { warnings } = await build({ entryPoints: [entry], bundle: true, platform: 'browser', write: false });
    expect(warnings).toEqual([]);
  });
});

function snippetOf(page: string, name: string): string {
  return snippetsOf(page).find((snippet) => snippet.name === name)!.code;
}
