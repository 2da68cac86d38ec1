import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What tells the version, beside npm's own files and CHANGELOG. */
const FILES = ['README.md', 'docs/deployment.md', 'helm/service-discovery/Chart.yaml'];
const FOLDERS = ['k8s', 'k8s/optional'];

export function versionOf(tree) {
  return JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8')).version;
}

/** Writes the version wherever the last one stands; returns what CHANGELOG says of it. */
export function setVersion(tree, version) {
  const last = versionOf(tree);
  const whole = new RegExp(`(?<![\\w.])${last.replaceAll('.', '\\.')}(?![\\w.])`, 'g');
  const inFolders = FOLDERS.flatMap((folder) =>
    readdirSync(join(tree, folder))
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => join(folder, name)),
  );
  for (const file of [...FILES, ...inFolders]) edit(join(tree, file), (text) => text.replace(whole, version));
  const set = ['version', '--no-git-tag-version', '--allow-same-version', '--ignore-scripts', version];
  execFileSync('npm', set, { cwd: tree, stdio: ['ignore', 'ignore', 'inherit'] });

  let notes = '';
  edit(join(tree, 'CHANGELOG.md'), (text) => {
    notes = /^## Unreleased\n([^]*?)(?=^## |$(?![^]))/m.exec(text)?.[1].trim() ?? '';
    if (notes === '') throw new Error('CHANGELOG.md has nothing under Unreleased');
    const today = new Date().toISOString().slice(0, 10);
    return text.replace(/^## Unreleased\n/m, `## Unreleased\n\n## ${version} - ${today}\n`);
  });
  return notes;
}

function edit(file, change) {
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, change(text));
}
