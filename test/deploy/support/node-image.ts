import { copyFile, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, fillCache } from '../../servers/cache.js';
import { run } from '../../servers/command.js';
import { unpackDebian } from '../../servers/debian-program.js';

// What stands in for node:24-bookworm-slim where no registry of images can be reached: the same libraries of
// Debian, the same programs, and nothing else.

const NODE = '24.9.0';
const NPM = '11.6.0';
const KEY = `node-image-${NODE}-${NPM}`;

const LIBRARIES = [
  'libc6',
  'libgcc-s1',
  'libstdc++6',
  'libacl1',
  'libattr1',
  'libcap-ng0',
  'libgmp10',
  'libpcre2-8-0',
  'libselinux1',
];
const PROGRAMS = ['base-files', 'coreutils', 'dash', 'util-linux'];

/** Whom this machine trusts, so does a build on it. */
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

/** Where npm keeps what it has fetched, while an image is built. */
export const NPM_CACHE = '/var/cache/npm';

export const NODE_IMAGE_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  NODE_EXTRA_CA_CERTS: AUTHORITIES,
  npm_config_cache: NPM_CACHE,
};

/** Its root file system, made once. */
export async function nodeImageRoot(): Promise<string> {
  await fillCache(KEY, make);
  return join(cached(KEY), 'unpacked');
}

async function make(folder: string): Promise<void> {
  await unpackDebian([...LIBRARIES, ...PROGRAMS], folder);
  const root = join(folder, 'unpacked');
  const modules = join(root, 'usr/local/lib/node_modules');
  await mkdir(modules, { recursive: true });
  await rename(await unpackNpm(`node-linux-${process.arch}@${NODE}`, folder, 'bin/node'), join(folder, 'node'));
  await mkdir(join(root, 'usr/local/bin'), { recursive: true });
  await rename(join(folder, 'node/bin/node'), join(root, 'usr/local/bin/node'));
  await rename(await unpackNpm(`npm@${NPM}`, folder), join(modules, 'npm'));
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
  for (const each of ['proc', 'root', 'tmp', 'etc/ssl/certs']) await mkdir(join(root, each), { recursive: true });
  await copyFile(AUTHORITIES, join(root, AUTHORITIES));
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n');
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnode:x:1000:\n');
}

/** The folder of the package, or of what is named of it. */
async function unpackNpm(spec: string, folder: string, ...only: readonly string[]): Promise<string> {
  const archive = (await run('npm', ['pack', '--silent', spec], { cwd: folder })).trim().split('\n').at(-1)!;
  const files = only.map((file) => `package/${file}`);
  await run('tar', ['-xzf', archive, '--no-same-owner', ...files], { cwd: folder });
  return join(folder, 'package');
}
