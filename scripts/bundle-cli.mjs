// Makes dist/sdctl of dist: the command in one file, and what makes a package of it (npm pack ./dist/sdctl).
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { licenses, packageOf } from './packages.mjs';

const OUT = 'dist/sdctl';

const { version, license, engines, type } = JSON.parse(readFileSync('package.json', 'utf8'));

/** No module of a library does anything by being loaded, so what is not called is left out: zod, for one. */
const pure = {
  name: 'pure-libraries',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^#|^\./ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === pure) return undefined;
      const found = await resolve(path, { ...from, pluginData: pure });
      return found.path.includes('/dist/libs/') ? { ...found, sideEffects: false } : undefined;
    });
  },
};

rmSync(OUT, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { sdctl: 'dist/apps/cli/src/main.js' },
  outdir: OUT,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  conditions: ['default'],
  minifyWhitespace: true,
  preserveSymlinks: true,
  plugins: [pure],
  define: { SDCTL_VERSION: JSON.stringify(version) },
  banner: {
    // What is CommonJS asks for Node's own modules by it.
    js: `#!/usr/bin/env node
import { createRequire as requireFrom } from 'node:module';
const require = requireFrom(import.meta.url);`,
  },
  metafile: true,
  logLevel: 'warning',
});

const manifest = {
  name: 'sdctl',
  version,
  description: 'Command line of service-discovery',
  license,
  type,
  engines,
  bin: { sdctl: './sdctl.js' },
};
writeFileSync(`${OUT}/package.json`, `${JSON.stringify(manifest, null, 2)}\n`);
cpSync('apps/cli/README.md', `${OUT}/README.md`);
const bundled = [...new Set(Object.keys(metafile.inputs).map(packageOf))].filter(Boolean).sort();
writeFileSync(`${OUT}/LICENSES.txt`, licenses(bundled));
