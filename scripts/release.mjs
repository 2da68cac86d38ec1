// Makes a release: npm run release -- MAJOR.MINOR.PATCH [--no-dry-run]
// All of it happens in a worktree of its own: the version in every file that tells it, a build from the lockfile, the
// packages, a commit and its tag. A dry run, which is the default, leaves the packages in release/ and nothing else.
// Nothing is pushed.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { pack } from './release/pack.mjs';
import { setVersion, versionOf } from './release/version.mjs';

const { values, positionals } = parseArgs({
  options: { 'dry-run': { type: 'boolean', default: true } },
  allowNegative: true,
  allowPositionals: true,
});
const [version] = positionals;
const dry = values['dry-run'];
const tag = `v${version}`;

function git(...args) {
  return execFileSync('git', args, { encoding: 'utf8' }).trim();
}

/** Why not; nothing has been touched. */
function refusal() {
  if (positionals.length !== 1 || !/^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}$/.test(version))
    return 'usage: npm run release -- MAJOR.MINOR.PATCH [--no-dry-run]';
  if (git('status', '--porcelain') !== '') return 'the tree is not clean: what is released is what is committed';
  if (git('tag', '--list', tag) !== '') return `${tag} is there already`;
  const current = versionOf('.');
  // The first release has the version that stands there.
  if (version.localeCompare(current, 'en', { numeric: true }) < 0) return `${version} is before ${current}`;
  return undefined;
}

const why = refusal();
if (why !== undefined) {
  console.error(why);
  process.exit(1);
}

const out = resolve('release', version);
const tree = join(mkdtempSync(join(tmpdir(), 'service-discovery-release-')), 'service-discovery');
const run = (command, ...args) => execFileSync(command, args, { cwd: tree, stdio: ['ignore', 'inherit', 'inherit'] });
try {
  git('worktree', 'add', '--quiet', '--detach', tree);
  const notes = setVersion(tree, version);
  run('npm', 'ci', '--no-audit', '--no-fund');
  run('npm', 'run', 'build');
  const files = pack(tree, version, out);
  run('git', 'diff', '--stat');
  console.log(`\n${notes}\n\nrelease/${version}:\n${files.join('\n')}\n`);
  if (dry) console.log('This was a dry run: --no-dry-run commits and tags it.');
  else {
    run('git', 'commit', '--quiet', '--all', '--message', `Release ${version}`);
    const commit = git('-C', tree, 'rev-parse', 'HEAD');
    git('merge', '--quiet', '--ff-only', commit);
    git(
      'tag',
      '--annotate',
      tag,
      '--cleanup=whitespace',
      '--message',
      `service-discovery ${version}\n\n${notes}`,
      commit,
    );
    console.log(`${tag} is ${commit}. To publish it: git push --follow-tags`);
  }
} finally {
  rmSync(join(tree, '..'), { recursive: true, force: true });
  git('worktree', 'prune');
}
