// Python packages for tests, each in an environment of its own in a cache outside the tree.
import { execFileSync } from 'node:child_process';
import { existsSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A Python that has this version of the package. Throws when there is no Python 3 with venv, or no package to be had. */
export function pythonWith(name, version) {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const folder = join(cache, 'service-discovery', `${name}-${version}`);
  if (!existsSync(folder)) {
    const unfinished = `${folder}.${process.pid}`;
    console.log(`installing ${name} ${version} into ${folder}`);
    execFileSync('python3', ['-m', 'venv', unfinished], { stdio: 'inherit' });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `${name}==${version}`];
    execFileSync(join(unfinished, 'bin/python'), pip, { stdio: 'inherit' });
    renameSync(unfinished, folder);
  }
  // The scripts that pip writes name the folder in which it ran.
  return join(folder, 'bin/python');
}
