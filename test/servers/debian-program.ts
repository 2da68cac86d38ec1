import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, fillCache } from './cache.js';
import { run } from './command.js';
import { isExecutable, onPath, type Program } from './program.js';

/** Lets apt work for any user, and leaves the system as it is: lists and archives are in the folder given. */
const APT_CONFIG = (folder: string) => `
Dir::State::Lists "${folder}/lists";
Dir::Cache "${folder}";
Dir::Cache::Archives "${folder}/archives";
APT::Sandbox::User "root";
Debug::NoLocking "true";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
`;

/** Beside the libraries that the system lacks. */
const WRAPPER = (program: string) => `#!/bin/sh
here=$(dirname "$0")
LD_LIBRARY_PATH=$(echo "$here"/unpacked/usr/lib/*-linux-*) exec "$here/unpacked/usr/bin/${program}" "$@"
`;

/**
 * A program out of Debian's packages, of any version from `version` on: PATH's, else unpacked into the
 * cache, with the package's other programs and the libraries that the system lacks. Nothing is installed.
 */
export function debianProgram(name: string, version: number, packageName: string): Program {
  const key = `${packageName}-${release()}`;
  const unpacked = join(cached(key), name);
  const installed = () => {
    const path = onPath(name);
    return path !== undefined && majorVersion(path) >= version ? path : undefined;
  };
  return {
    name,
    version: `${version} or later`,
    find: () => installed() ?? (isExecutable(unpacked) ? unpacked : undefined),
    prepare: (report) => {
      const make = async (folder: string) => {
        if (!onPath('apt-get')) throw new Error('it is not on PATH, and there is no apt-get to have it from');
        report(`unpacking Debian's ${packageName}`);
        await unpack(['install', '--download-only', '--no-install-recommends', '-y', packageName], folder);
        for (const each of await readdir(join(folder, 'unpacked/usr/bin'))) await wrap(folder, each);
        const major = majorVersion(join(folder, name));
        if (major < version) throw new Error(`this release of Debian has version ${major}`);
      };
      return fillCache(key, make, report);
    },
  };
}

/** These packages, without what they depend on, into the folder `unpacked`. */
export function unpackDebian(packages: readonly string[], folder: string): Promise<void> {
  return unpack(['download', ...packages], folder);
}

/** @param fetch What has apt-get put archives into the folder of archives. */
async function unpack(fetch: readonly string[], folder: string): Promise<void> {
  const apt = join(folder, 'apt');
  const [config, archives] = [join(apt, 'apt.conf'), join(apt, 'archives')];
  for (const each of ['lists/partial', 'archives/partial']) await mkdir(join(apt, each), { recursive: true });
  await writeFile(config, APT_CONFIG(apt));
  await run('apt-get', ['-c', config, 'update']);
  await run('apt-get', ['-c', config, ...fetch], { cwd: archives });
  for (const file of await readdir(archives)) {
    if (file.endsWith('.deb')) await run('dpkg-deb', ['-x', join(archives, file), join(folder, 'unpacked')]);
  }
  await rm(apt, { recursive: true });
}

async function wrap(folder: string, program: string): Promise<void> {
  const wrapper = join(folder, program);
  await writeFile(wrapper, WRAPPER(program));
  await chmod(wrapper, 0o755);
}

function majorVersion(path: string): number {
  return Number(/(?:v=?|version )(\d+)\./.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[1]);
}

/** A release of Debian or its like decides the versions of its packages. */
function release(): string {
  try {
    const fields = readFileSync('/etc/os-release', 'utf8');
    const [id, version] = ['ID', 'VERSION_ID'].map(
      (field) => new RegExp(`^${field}="?([^"\n]+)`, 'm').exec(fields)?.[1],
    );
    return `${id}-${version}`;
  } catch {
    return 'no-release';
  }
}
