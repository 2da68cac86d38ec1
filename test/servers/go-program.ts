import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, fillCache } from './cache.js';
import { run } from './command.js';
import { isExecutable, onPath, type Program } from './program.js';

export interface GoModule<Name extends string> {
  /** A folder in `modules/`. */
  readonly name: string;
  /** Whose version, as pinned in its go.mod, is that of the programs. */
  readonly module: string;
  /** The packages to build, by the programs' names. */
  readonly programs: Readonly<Record<Name, string>>;
  readonly ldflags?: (version: string) => string;
  /** Files to keep beside the programs, by name, each made of files of the module. */
  readonly files?: Readonly<Record<string, readonly string[]>>;
  /** For who waits. */
  readonly minutes: number;
}

/** Programs of a Go module that is pinned here: built all at once, kept under its version. */
export function goPrograms<Name extends string>(module: GoModule<Name>): Readonly<Record<Name, Program>> {
  const source = join(import.meta.dirname, 'modules', module.name);
  const version = pinnedVersion(join(source, 'go.mod'), module.module);
  const key = `${module.name}-${version}`;

  const prepare: Program['prepare'] = (report) => {
    const make = async (folder: string) => {
      if (!onPath('go')) throw new Error('it is built by Go, and there is no go on PATH: see https://go.dev/dl');
      report(`building, about ${module.minutes} min`);
      await build(module, version, source, folder);
    };
    return fillCache(key, make, report);
  };
  const programs = Object.keys(module.programs).map((name) => {
    const path = join(cached(key), name);
    return [name, { name, version, prepare, find: () => (isExecutable(path) ? path : undefined) }] as const;
  });
  return Object.fromEntries(programs) as Record<Name, Program>;
}

async function build<Name extends string>(
  { module, programs, files = {}, ldflags }: GoModule<Name>,
  version: string,
  cwd: string,
  folder: string,
): Promise<void> {
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags', `-s -w ${ldflags?.(version) ?? ''}`];
  for (const [name, pkg] of Object.entries<string>(programs)) {
    await run('go', ['build', ...flags, '-o', join(folder, name), pkg], { cwd, env: { CGO_ENABLED: '0' } });
  }
  const root = (await run('go', ['list', '-m', '-f', '{{.Dir}}', module], { cwd })).trim();
  for (const [name, parts] of Object.entries(files)) {
    const texts = await Promise.all(parts.map((part) => readFile(join(root, part), 'utf8')));
    await writeFile(join(folder, name), texts.join('---\n'));
  }
}

function pinnedVersion(goMod: string, module: string): string {
  const requirement = readFileSync(goMod, 'utf8')
    .split('\n')
    .map((line) => line.replace('require ', '').trim().split(' '))
    .find(([path]) => path === module);
  if (!requirement) throw new Error(`${goMod} does not require ${module}`);
  return requirement[1]!.replace(/^v/, '');
}
