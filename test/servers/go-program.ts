import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, fillCache } from './cache.js';
import { run } from './command.js';
import { isExecutable, onPath, type Program } from './program.js';

export interface GoModule {
  /** A folder in `modules/`. */
  readonly name: string;
  /** Whose version, as pinned in its go.mod, is that of the programs. */
  readonly module: string;
  /** The packages to build, by the programs' names. */
  readonly programs: Readonly<Record<string, string>>;
  readonly ldflags?: (version: string) => string;
  /** For who waits. */
  readonly minutes: number;
}

/** Programs built from Go modules that are pinned here: all of a module at once, kept under its version. */
export function goPrograms(module: GoModule): readonly Program[] {
  const source = join(import.meta.dirname, 'modules', module.name);
  const version = pinnedVersion(join(source, 'go.mod'), module.module);
  const key = `${module.name}-${version}`;

  const prepare: Program['prepare'] = (report) =>
    fillCache(key, async (folder) => {
      if (!onPath('go')) throw new Error(`${key} is built by Go, and there is no go on PATH: see https://go.dev/dl`);
      report(`building (about ${module.minutes} min, once)`);
      for (const [name, pkg] of Object.entries(module.programs)) {
        const ldflags = `-s -w ${module.ldflags?.(version) ?? ''}`;
        const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', ldflags, '-o', join(folder, name), pkg];
        await run('go', args, { cwd: source, env: { CGO_ENABLED: '0' } });
      }
    });
  return Object.keys(module.programs).map((name) => {
    const path = join(cached(key), name);
    return { name, version, prepare, find: () => (isExecutable(path) ? path : undefined) };
  });
}

function pinnedVersion(goMod: string, module: string): string {
  const requirement = readFileSync(goMod, 'utf8')
    .split('\n')
    .map((line) => line.replace('require ', '').trim().split(' '))
    .find(([path]) => path === module);
  if (!requirement) throw new Error(`${goMod} does not require ${module}`);
  return requirement[1]!.replace(/^v/, '');
}
