// Packs what others install: node scripts/pack.mjs [--pack-destination dist/packages]. Of each entry one file of ESM,
// one of CommonJS and its types, made of the sources that it uses. What it takes from npm it depends on.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

const OUT = 'dist/packages';

const PACKAGES = [
  {
    name: '@service-discovery/client',
    description: 'Finds, registers and calls services through service-discovery',
    document: 'docs/client.md',
    entries: {
      index: 'libs/client/index.ts',
      prometheus: 'libs/client/prometheus.ts',
      opentelemetry: 'libs/client/opentelemetry.ts',
      testing: 'libs/client/testing/index.ts',
    },
    peers: { '@opentelemetry/api': { optional: true }, 'prom-client': { optional: true } },
  },
  {
    name: '@service-discovery/client-nest',
    description: 'The client of service-discovery as a module of NestJS',
    document: 'docs/client-nest.md',
    entries: { index: 'libs/client-nest/index.ts', terminus: 'libs/client-nest/terminus.ts' },
    peers: { '@nestjs/common': {}, '@nestjs/core': {}, '@nestjs/terminus': { optional: true }, rxjs: {} },
  },
];

/** Libraries of ours that are packages of their own. */
const OWN = { '#client': '@service-discovery/client' };

const { values } = parseArgs({ options: { 'pack-destination': { type: 'string', default: OUT } } });

const root = JSON.parse(readFileSync('package.json', 'utf8'));

/** Of our sources without a trace of what nothing of the entry uses; of packages nothing. */
const onlyWhatIsUsed = {
  name: 'only-what-is-used',
  setup({ onResolve, resolve: found }) {
    onResolve({ filter: /^#/ }, ({ path }) => (path in OWN ? { path: OWN[path], external: true } : undefined));
    onResolve({ filter: /^[^.#/]/ }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path, external: true },
    );
    onResolve({ filter: /^[.#]/ }, async ({ path, pluginData, ...rest }) =>
      pluginData ? undefined : { ...(await found(path, { ...rest, pluginData: true })), sideEffects: false },
    );
  },
};

for (const each of PACKAGES) await pack(each);

async function pack({ name, description, document, entries, peers }) {
  const folder = join(OUT, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const used = new Set([...(await scripts(entries, folder)), ...(await types(entries, folder))]);
  const manifest = {
    name,
    version: root.version,
    description,
    license: root.license,
    type: 'module',
    engines: root.engines,
    sideEffects: false,
    main: './index.cjs',
    types: './index.d.cts',
    exports: { ...Object.fromEntries(Object.keys(entries).map(exported)), './package.json': './package.json' },
    dependencies: versions([...used].filter((each) => !(each in peers)).sort()),
    peerDependencies: versions(Object.keys(peers)),
    peerDependenciesMeta: peers,
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(folder, 'README.md'), withoutRelativeLinks(readFileSync(document, 'utf8')));
  copyFileSync('LICENSE', join(folder, 'LICENSE'));
  const { status } = spawnSync(
    'npm',
    ['pack', resolve(folder), '--pack-destination', values['pack-destination'], '--silent'],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  if (status !== 0) process.exit(1);
}

/** @returns The packages that they import. */
async function scripts(entries, folder) {
  const options = {
    entryPoints: entries,
    outdir: folder,
    bundle: true,
    target: 'es2022',
    conditions: ['source'],
    tsconfig: 'tsconfig.json',
    plugins: [onlyWhatIsUsed],
    metafile: true,
    logLevel: 'warning',
  };
  const { metafile } = await build({ ...options, format: 'esm', platform: 'neutral' });
  await build({ ...options, format: 'cjs', platform: 'node', outExtension: { '.js': '.cjs' } });
  return Object.values(metafile.outputs)
    .flatMap(({ imports }) => imports.map(({ path }) => path))
    .filter(isPackage);
}

/** Each by itself: what two of them mention stands in both. @returns The packages that they mention. */
async function types(entries, folder) {
  const mentioned = [];
  for (const [entry, input] of Object.entries(entries)) {
    const bundle = await rollup({
      input,
      external: (id) => /^[^.#/]/.test(id) || id in OWN,
      plugins: [dts({ tsconfig: 'tsconfig.json', compilerOptions: { customConditions: ['source'] } })],
    });
    const { output } = await bundle.generate({ paths: OWN });
    const [{ code, imports }] = output;
    for (const extension of ['d.ts', 'd.cts']) writeFileSync(join(folder, `${entry}.${extension}`), code);
    mentioned.push(...imports.map((each) => OWN[each] ?? each));
  }
  return mentioned.filter(isPackage);
}

function isPackage(path) {
  return !/^(\.|node:)/.test(path);
}

/** Of ours the same; of others what is tested here, and what is compatible with it. */
function versions(names) {
  const of = (name) => (Object.values(OWN).includes(name) ? root.version : `^${root.dependencies[name]}`);
  return Object.fromEntries(names.map((name) => [name, of(name)]));
}

function exported(entry) {
  const of = (type, file) => ({ types: `./${entry}.d.${type}`, default: `./${entry}.${file}` });
  return [entry === 'index' ? '.' : `./${entry}`, { import: of('ts', 'js'), require: of('cts', 'cjs') }];
}

/** What a document of the repository links to is not in the package. */
function withoutRelativeLinks(markdown) {
  return markdown.replace(/\[([^\]]+)\]\((?!https?:|#)[^)]*\)/g, '$1');
}
