// Type-checks the TypeScript that the documents show: `npm run check` fails when a document lies.
// A fence ```ts file=name.ts is a module that the document's other fences may import.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { documents, snippetsOf } from './snippets.mjs';

const folder = '.snippets';
rmSync(folder, { recursive: true, force: true });
const files = [];
for (const document of documents()) {
  const into = join(folder, basename(document, '.md'));
  for (const { name, code } of snippetsOf(readFileSync(document, 'utf8'))) {
    mkdirSync(into, { recursive: true });
    writeFileSync(join(into, name), code);
    files.push(relative(folder, join(into, name)));
  }
}
const config = {
  extends: '../tsconfig.json',
  compilerOptions: {
    noEmit: true,
    rootDir: '..',
    noUnusedLocals: false,
    // As those call it who install it.
    paths: {
      '@service-discovery/client': ['../libs/client/index.ts'],
      '@service-discovery/client/*': ['../libs/client/*.ts', '../libs/client/*/index.ts'],
      '@service-discovery/client-nest': ['../libs/client-nest/index.ts'],
      '@service-discovery/client-nest/terminus': ['../libs/client-nest/terminus.ts'],
    },
  },
  include: [],
  files,
};
writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
const { status } = spawnSync('node_modules/.bin/tsc', ['-p', folder], { stdio: 'inherit' });
rmSync(folder, { recursive: true, force: true });
if (status === 0) console.log(`${files.length} snippets of the documents compile`);
process.exitCode = status ?? 1;
