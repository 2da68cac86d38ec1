import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const BUILD_INFO = join(ROOT, 'dist/tsconfig.tsbuildinfo');
const MAIN = join(ROOT, 'dist/bundle/main.js');

let checked = false;

/**
 * The server as it is built and shipped: the bundle.
 * @throws Error when it is not there, or was not built from the sources as they are.
 */
export function serverProgram(): string {
  if (!checked) {
    const why = whatIsWrong();
    if (why !== undefined) throw new Error(`${why}: run npm run build`);
    checked = true;
  }
  return MAIN;
}

function whatIsWrong(): string | undefined {
  if (!existsSync(MAIN) || !existsSync(BUILD_INFO)) return 'the server is not built';
  const built = builtSources();
  const changed = sources().find((path) => built.get(path) !== hashOf(path));
  if (changed !== undefined) return `the build is older than ${relative(ROOT, changed)}`;
  return statSync(MAIN).mtimeMs < statSync(BUILD_INFO).mtimeMs ? 'the bundle is older than the build' : undefined;
}

/** What the compiler has read, by content: times of files say nothing after a checkout. */
function builtSources(): ReadonlyMap<string, string> {
  const { fileNames, fileInfos } = JSON.parse(readFileSync(BUILD_INFO, 'utf8')) as {
    fileNames: string[];
    fileInfos: (string | { version: string })[];
  };
  return new Map(
    fileNames.map((name, i) => {
      const info = fileInfos[i]!;
      return [resolve(BUILD_INFO, '..', name), typeof info === 'string' ? info : info.version];
    }),
  );
}

function sources(): string[] {
  return ['apps', 'libs', 'bench', 'demo'].flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts') && !/(^|\/)testing\//.test(path))
      .map((path) => join(ROOT, top, path)),
  );
}

function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
