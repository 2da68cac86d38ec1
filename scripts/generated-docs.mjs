// Writes the documents that are made from code, and from what the bench and the faults suite have measured; with
// --check, fails when one is not up to date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { backendsPage } from '../dist/apps/server/src/pages/backends-page.js';
import { settingsPage } from '../dist/apps/server/src/pages/settings-page.js';
import { performancePage } from '../dist/bench/page.js';
import { withFigures } from '../dist/bench/readme.js';
import { readResults } from '../dist/bench/results.js';
import { chartPage } from './chart-page.mjs';
import '../test/support/typescript.mjs';

const { withMatrix } = await import('../test/faults/support/matrix.ts');
const results = readResults();
const pages = {
  'docs/settings.md': settingsPage(),
  'docs/backends.md': await backendsPage(),
  'docs/performance.md': performancePage(results),
  'docs/reliability.md': withMatrix(readFileSync('docs/reliability.md', 'utf8')),
  // A chart has no files but its own.
  'helm/service-discovery/files/rules.yaml': readFileSync('deploy/prometheus/rules.yaml', 'utf8'),
  'helm/service-discovery/files/dashboard.json': readFileSync('deploy/grafana/service-discovery.json', 'utf8'),
  'helm/service-discovery/README.md': chartPage(readFileSync('helm/service-discovery/values.yaml', 'utf8')),
  'README.md': withFigures(readFileSync('README.md', 'utf8'), results),
};

for (const [path, text] of Object.entries(pages)) {
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    console.error(`${path} is out of date: run npm run docs`);
    process.exitCode = 1;
  }
}
