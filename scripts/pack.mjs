// Packs what others install: node scripts/pack.mjs [folder], dist/packages without one. Of each entry one file of ESM,
// one of CommonJS and its types, made of the sources that it uses. What it takes from npm it depends on.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

const OUT = process.argv[2] ?? 'dist/packages';

const PACKAGES = [
  {
    name: '@service-discovery/client',
    description: 'Finds, registers and calls services through service-discovery',
    document: 'docs/client.md',
    entries: { index: 'libs/client/index.ts' },
  },
];

const root = JSON.parse(readFileSync('package.json', 'utf8'));

/** Of our sources without a trace of what nothing of the entry uses; of packages nothing. */
const onlyWhatIsUsed = {
  name: 'only-what-is-used',
  setup({ onResolve, resolve: found }) {
    onResolve({ filter: /^[^.#/]/ }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path, external: true },
    );
    onResolve({ filter: /^[.#]/ }, async ({ path, pluginData, ...rest }) =>
      pluginData ? undefined : { ...(await found(path, { ...rest, pluginData: true })), sideEffects: false },
    );
  },
};

for (const each of PACKAGES) await pack(each);

async function pack({ name, description, document, entries }) {
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
    dependencies: Object.fromEntries([...used].sort().map((each) => [each, `^${root.dependencies[each]}`])),
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(folder, 'README.md'), withoutRelativeLinks(readFileSync(document, 'utf8')));
  copyFileSync('LICENSE', join(folder, 'LICENSE'));
  const { status } = spawnSync('npm', ['pack', resolve(folder), '--pack-destination', OUT, '--silent'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
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
    plugins: [onlyWhatIsUsed],
    metafile: true,
    logLevel: 'warning',
  };
  const { metafile } = await build({ ...options, format: 'esm', platform: 'neutral' });
  await build({ ...options, format: 'cjs', platform: 'node', outExtension: { '.js': '.cjs' } });
  return Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
}

/** @returns The packages that they mention. */
async function types(entries, folder) {
  const bundle = await rollup({
    input: entries,
    external: (id) => /^[^.#/]/.test(id),
    plugins: [dts({ tsconfig: 'tsconfig.json', compilerOptions: { customConditions: ['source'] } })],
  });
  const { output } = await bundle.generate({ entryFileNames: '[name].d.ts', chunkFileNames: 'types.d.ts' });
  for (const { fileName, code } of output) {
    writeFileSync(join(folder, fileName), code);
    writeFileSync(join(folder, fileName.replace('.d.ts', '.d.cts')), code);
  }
  return output.flatMap(({ imports }) => imports);
}

function exported(entry) {
  const of = (type, file) => ({ types: `./${entry}.d.${type}`, default: `./${entry}.${file}` });
  return [entry === 'index' ? '.' : `./${entry}`, { import: of('ts', 'js'), require: of('cts', 'cjs') }];
}

/** What a document of the repository links to is not in the package. */
function withoutRelativeLinks(markdown) {
  return markdown.replace(/\[([^\]]+)\]\((?!https?:|#)[^)]*\)/g, '$1');
}
