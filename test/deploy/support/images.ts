import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../../servers/command.js';
import { executable } from '../../servers/program.js';
import { ServerProcess, type Environment } from '../../support/process.js';
import { buildah } from './tools.js';
import { NODE_IMAGE_ENVIRONMENT, nodeImageRoot, NPM_CACHE } from './node-image.js';

const BASE = 'docker.io/library/node:24-bookworm-slim';

/** Buildah starts itself again without its environment, so where it is only unpacked its libraries are laid over the system's. */
const BUILDAH = `
set -e
unpacked=$(echo "$LIBRARIES"/*-linux-*)
if [ -d "$unpacked" ]; then
  system=/usr/lib/$(basename "$unpacked")
  mount -t overlay -o "lowerdir=$unpacked:$system" none "$system"
fi
`;

/** As the first process, of a user without rights, with nothing to write to but its data. */
const CONTAINER = `
root=$("$BUILDAH" $STORAGE mount "$CONTAINER")
mount --bind "$root" "$root"
mount -o remount,ro,bind "$root"
mount --bind "$DATA" "$root/data"
mount -t proc proc "$root/proc"
exec unshare --pid --fork chroot "$root" setpriv --reuid="\${OWNER%:*}" --regid="\${OWNER#*:}" --clear-groups \
  --pdeathsig=KILL env --ignore-environment --chdir="$FOLDER" "$@"
`;

/** What an image says of how it is run. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly WorkingDir: string;
  readonly StopSignal: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Healthcheck: { readonly Test: readonly string[] };
}

/** A store of images and containers in a folder of its own. */
export class Images {
  private constructor(private readonly folder: string) {}

  /** With the image in it that ours is built on. */
  static async create(folder: string): Promise<Images> {
    await writeFile(join(folder, 'policy.json'), '{"default": [{"type": "insecureAcceptAnything"}]}');
    await writeFile(join(folder, 'registries.conf'), '');
    const images = new Images(folder);
    const container = await images.buildah('from', 'scratch');
    await images.buildah('add', '--quiet', container, await nodeImageRoot(), '/');
    const environment = Object.entries(NODE_IMAGE_ENVIRONMENT).flatMap(([name, value]) => [
      '--env',
      `${name}=${value}`,
    ]);
    await images.buildah('config', ...environment, container);
    await images.buildah('commit', '--quiet', '--rm', ...images.policy, container, BASE);
    return images;
  }

  /** @param context The folder whose Dockerfile is followed. */
  async build(context: string, tag: string, args: Environment): Promise<void> {
    // What npm has fetched here once is not fetched again.
    const cache = `${(await run('npm', ['config', 'get', 'cache'])).trim()}:${NPM_CACHE}`;
    const given = Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
    // Docker's own format has health checks.
    await this.buildah(
      'build',
      '--pull-never',
      '--format=docker',
      // npm opens thousands of files of its cache at once.
      '--ulimit=nofile=16384:16384',
      '--volume',
      cache,
      ...this.policy,
      ...given,
      '--tag',
      tag,
      context,
    );
  }

  async config(tag: string): Promise<ImageConfig> {
    return JSON.parse(await this.buildah('inspect', '--type=image', tag)).Docker.config as ImageConfig;
  }

  /** In bytes, with everything below. */
  async size(tag: string): Promise<number> {
    const [image] = JSON.parse(await this.buildah('images', '--json', tag)) as [{ size: string }];
    const [, number, unit] = /([\d.]+) (\w+)/.exec(image.size)!;
    return Number(number) * { KB: 1e3, MB: 1e6, GB: 1e9 }[unit!]!;
  }

  /** @param data The folder that is mounted at /data, the server's own from then on. */
  async container(tag: string, data: string): Promise<Container> {
    const config = await this.config(tag);
    const name = await this.buildah('from', '--pull-never', ...this.policy, tag);
    await run('chown', ['-R', config.User, data]);
    return new Container(config, { ...this.environment, CONTAINER: name, DATA: data, STORAGE: this.storage.join(' ') });
  }

  private get policy(): readonly string[] {
    return ['--signature-policy', join(this.folder, 'policy.json')];
  }

  private get storage(): readonly string[] {
    return ['--root', join(this.folder, 'images'), '--runroot', join(this.folder, 'run')];
  }

  private get environment(): Environment {
    const program = executable(buildah);
    return {
      BUILDAH: program,
      LIBRARIES: join(dirname(program), 'unpacked/usr/lib'),
      BUILDAH_ISOLATION: 'chroot',
      CONTAINERS_REGISTRIES_CONF: join(this.folder, 'registries.conf'),
    };
  }

  /** In a namespace of its own, which takes every mount with it. */
  private async buildah(...args: readonly string[]): Promise<string> {
    const script = ['-c', `${BUILDAH} exec "$BUILDAH" "$@"`, 'buildah', ...this.storage, ...args];
    return (await run('unshare', ['--mount', 'sh', ...script], { env: this.environment })).trim();
  }
}

export class Container {
  constructor(
    readonly config: ImageConfig,
    private readonly environment: Environment,
  ) {}

  /** @param command Instead of the image's own. */
  start(environment: Environment, command: readonly string[] = this.config.Entrypoint): ServerProcess {
    const { User: OWNER, WorkingDir: FOLDER, Env } = this.config;
    const variables = [...Env, ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)];
    const script = ['-c', BUILDAH + CONTAINER, 'container', ...variables, ...command];
    return new ServerProcess(
      spawn('unshare', ['--mount', 'sh', ...script], {
        env: { PATH: process.env.PATH, ...this.environment, OWNER, FOLDER },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }
}

/** The server itself of those that hold the container: the one without a child. */
export async function firstProcess({ child }: ServerProcess): Promise<number> {
  for (let pid = child.pid!; ;) {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    if (children === '') return pid;
    pid = Number(children.split(' ')[0]);
  }
}
