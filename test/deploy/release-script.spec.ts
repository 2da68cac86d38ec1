import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { run } from '../servers/command.js';
import { endProcesses, temporaryFolder, TEST_MS } from '../support/process.js';

const ROOT = join(import.meta.dirname, '../..');
const COPIED = [
  '.gitignore',
  'README.md',
  'docs/deployment.md',
  'helm',
  'k8s',
  'scripts/release',
  'scripts/release.mjs',
];

const CHANGELOG = `# Changelog

## Unreleased

### Added

- A thing.

## 0.0.1 - 2026-01-01

- Another.
`;

/** Stands in for half a minute of compiling. */
const BUILD = `
import { mkdirSync, writeFileSync } from 'node:fs';
mkdirSync('dist/bundle', { recursive: true });
writeFileSync('dist/bundle/main.js', '');
writeFileSync('dist/bundle/sbom.cdx.json', '{}');
`;

let folder: string;
/** What package.json says before. */
let current: string;

const git = async (...args: readonly string[]) => (await run('git', args, { cwd: folder })).trim();
const release = (...args: readonly string[]) => run('node', ['scripts/release.mjs', ...args], { cwd: folder });
const text = (path: string) => readFile(join(folder, path), 'utf8');
const json = async (path: string): Promise<unknown> => JSON.parse(await text(path));
const listed = (archive: string) => run('tar', ['-tzf', join(folder, archive)]);

async function commit(path: string, content: string): Promise<void> {
  await writeFile(join(folder, path), content);
  await git('add', '--all');
  await git('commit', '--quiet', '--message', path);
}

beforeEach(async () => {
  folder = await temporaryFolder();
  for (const path of COPIED) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await cp(join(ROOT, path), join(folder, path), { recursive: true });
  }
  current = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')).version;
  const manifest = { name: 'service-discovery', version: current, private: true, type: 'module' };
  const lock = { ...manifest, lockfileVersion: 3, packages: { '': manifest } };
  await writeFile(join(folder, 'build.mjs'), BUILD);
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...manifest, scripts: { build: 'node build.mjs' } }));
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify(lock));
  await git('init', '--quiet', '--initial-branch=main');
  await git('config', 'user.name', 'a tester');
  await git('config', 'user.email', 'tester@example.org');
  await commit('CHANGELOG.md', CHANGELOG);
});
afterEach(endProcesses);

describe('npm run release', () => {
  it(
    'leaves packages, and nothing else, unless it is told to be in earnest',
    async () => {
      const before = await git('rev-parse', 'HEAD');
      expect(await release('99.0.1')).toContain('This was a dry run');
      expect([await git('rev-parse', 'HEAD'), await git('status', '--porcelain')]).toEqual([before, '']);
      expect([await git('tag'), (await git('worktree', 'list')).split('\n')]).toEqual(['', [expect.anything()]]);

      const server = `service-discovery-server-99.0.1-${process.platform}-${process.arch}.tar.gz`;
      expect(await listed(`release/99.0.1/${server}`)).toContain('service-discovery-99.0.1/main.js\n');
      const chart = join(folder, 'release/99.0.1/service-discovery-99.0.1.tgz');
      expect(await run('tar', ['-xzOf', chart, 'service-discovery/Chart.yaml'])).toContain('\nappVersion: 99.0.1\n');
      await run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: join(folder, 'release/99.0.1') });
    },
    TEST_MS,
  );

  it(
    'commits and tags the version in every file that tells it, once',
    async () => {
      await release('99.0.1', '--no-dry-run');
      expect(await git('status', '--porcelain')).toBe('');
      expect(await git('log', '-1', '--format=%s %D')).toBe('Release 99.0.1 HEAD -> main, tag: v99.0.1');
      expect(await git('tag', '--list', '--format=%(contents)')).toContain('### Added\n\n- A thing.');
      expect(await json('package.json')).toMatchObject({ version: '99.0.1' });
      expect(await json('package-lock.json')).toMatchObject({
        version: '99.0.1',
        packages: { '': { version: '99.0.1' } },
      });
      expect(await text('helm/service-discovery/Chart.yaml')).toContain('\nversion: 99.0.1\nappVersion: 99.0.1\n');
      expect(await text('k8s/deployment.yaml')).toContain('image: service-discovery:99.0.1\n');
      expect(await text('CHANGELOG.md')).toMatch(/## Unreleased\n\n## 99\.0\.1 - \d{4}-\d\d-\d\d\n\n### Added/);
      for (const path of ['README.md', 'docs/deployment.md'])
        expect(await text(path)).toContain(' -t service-discovery:99.0.1 .');

      await expect(release('99.0.1')).rejects.toThrow('v99.0.1 is there already');
      await expect(release('99.0.2')).rejects.toThrow('nothing under Unreleased');
      expect((await git('worktree', 'list')).split('\n')).toHaveLength(1);
    },
    TEST_MS,
  );

  it('refuses a version that is none or goes back, and a tree that is not clean', async () => {
    for (const args of [[], ['1.2'], ['v1.2.3'], ['1.2.3', '1.2.4']])
      await expect(release(...args)).rejects.toThrow('usage:');
    await expect(release('0.0.1')).rejects.toThrow(`0.0.1 is before ${current}`);
    await writeFile(join(folder, 'stray'), '');
    await expect(release('99.0.1')).rejects.toThrow('the tree is not clean');
  });
});
