import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const REPOSITORY = resolve(import.meta.dirname, '../../..');
const run = promisify(execFile);

/** Somebody else's project, outside the repository, into which our packages are installed as they are packed. */
export class Project {
  private constructor(
    private readonly parent: string,
    readonly tarballs: readonly string[],
  ) {}

  /** @param needs What else it has installed, `name@version`. */
  static async create(needs: readonly string[]): Promise<Project> {
    const parent = await mkdtemp(join(tmpdir(), 'service-discovery-project-'));
    const packed = join(parent, 'packed');
    await mkdir(packed);
    await run(process.execPath, ['scripts/pack.mjs', '--pack-destination', packed], { cwd: REPOSITORY });
    const tarballs = (await readdir(packed)).filter((name) => name.endsWith('.tgz')).map((name) => join(packed, name));
    const project = new Project(parent, tarballs);
    await mkdir(project.folder);
    await project.write('package.json', JSON.stringify({ private: true }));
    // What `npm ci` has brought is in npm's cache.
    const quietly = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await run('npm', ['install', '--prefix', project.folder, ...quietly, ...tarballs, ...needs], {
      cwd: project.folder,
    });
    return project;
  }

  get folder(): string {
    return join(this.parent, 'project');
  }

  async write(name: string, text: string): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, text);
    return path;
  }

  /** What it prints. Rejects, with everything that it printed, when it fails. */
  async node(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<string> {
    const env = { ...process.env, NODE_OPTIONS: '', ...environment };
    try {
      return (await run(process.execPath, args, { cwd: this.folder, env })).stdout;
    } catch (error) {
      const { message, stdout } = error as Error & { stdout: string };
      throw new Error(`${message}\n${stdout}`, { cause: error });
    }
  }

  /** A program that the repository has, for development. */
  tool(path: string, ...args: readonly string[]): Promise<string> {
    return this.node([join(REPOSITORY, 'node_modules', path), ...args]);
  }

  async remove(): Promise<void> {
    await rm(this.parent, { recursive: true, force: true });
  }
}
