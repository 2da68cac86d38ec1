// Writes docs/settings.md from the settings' own schema; with --check, fails when it is not up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { settingsPage } from '../dist/apps/server/src/settings-page.js';

const path = 'docs/settings.md';
if (!process.argv.includes('--check')) writeFileSync(path, settingsPage());
else if (readFileSync(path, 'utf8') !== settingsPage()) {
  console.error(`${path} is out of date: run npm run docs`);
  process.exit(1);
}
