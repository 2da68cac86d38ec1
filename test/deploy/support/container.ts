import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { serverProgram } from '../../support/build.js';
import { ServerProcess, temporaryFolder, type Environment } from '../../support/process.js';

/** A root file system that cannot be written to, of the server and the system's libraries, and /data that can. */
const CONTAINER = `
set -e
mount -t tmpfs tmpfs "$ROOT"
cp -r "$APP" "$ROOT/app"
mkdir "$ROOT/bin" "$ROOT/data"
for each in dev etc lib lib64 proc usr; do
  [ ! -e "/$each" ] || { mkdir "$ROOT/$each" && mount --rbind "/$each" "$ROOT/$each"; }
done
touch "$ROOT/bin/node" && mount --bind "$NODE" "$ROOT/bin/node"
mount -t tmpfs tmpfs "$ROOT/data"
for each in $MOUNTS; do
  to="$ROOT\${each%%=*}"
  [ -e "$to" ] || mkdir -p "$to"
  mount --bind "\${each#*=}" "$to"
done
mount -o remount,ro "$ROOT"
exec chroot "$ROOT" /usr/bin/env --ignore-environment --chdir=/app PATH=/bin "$@"
`;

/** By their paths in it, the files and folders of this machine that are laid over a container's. */
export type Mounts = Readonly<Record<string, string>>;

/** Starts a command as a container of the image would: with this environment alone, and as little of this machine as can be. */
export async function startContainer(
  command: readonly string[],
  environment: Environment,
  mounts: Mounts,
): Promise<ServerProcess> {
  const env = {
    PATH: process.env.PATH,
    ROOT: await temporaryFolder(),
    APP: dirname(serverProgram()),
    NODE: process.execPath,
    MOUNTS: pairs(mounts).join(' '),
  };
  const script = ['sh', '-c', CONTAINER, 'container', ...pairs(environment), ...command];
  return new ServerProcess(
    spawn('unshare', ['--map-root-user', '--mount', ...script], { env, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
}

function pairs(of: Readonly<Record<string, string>>): string[] {
  return Object.entries(of).map(([name, value]) => `${name}=${value}`);
}
