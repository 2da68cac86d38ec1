import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { snippetsOf } from '../../scripts/snippets.mjs';
import { register } from '../support/instances.js';
import { endProcesses, temporaryFolder, TEST_MS } from '../support/process.js';
import { until } from '../support/until.js';
import { registriesOf } from './support/registries.js';
import { Replica } from './support/replicas.js';

type Follow = (
  servers: readonly string[],
  service: string,
  changed: (instances: ReadonlyMap<string, object>) => void,
  signal: AbortSignal,
) => Promise<void>;

const WATCHERS = 50;
/** Printed is what it took; the machine may be busy. */
const PATIENCE_MS = 60_000;

afterEach(endProcesses);

/** As docs/watching.md has it. */
async function documented(): Promise<Follow> {
  const page = await readFile(resolve(import.meta.dirname, '../../docs/watching.md'), 'utf8');
  const { code } = snippetsOf(page).find(({ name }) => name === 'follow.ts')!;
  const compilerOptions = { module: ModuleKind.ESNext, target: ScriptTarget.ES2023 };
  const file = join(await temporaryFolder(), 'follow.mjs');
  await writeFile(file, transpileModule(code, { compilerOptions }).outputText);
  const { follow } = (await import(pathToFileURL(file).href)) as { follow: Follow };
  return follow;
}

describe.each(registriesOf('etcd', 'redis'))('watchers of a replica that is killed, on $type', (registry) => {
  it(
    'go on at another one, and know what has happened meanwhile',
    async () => {
      const follow = await documented();
      const [one, other] = await Replica.startSeveral(2, await registry.environment());
      const known = Array.from({ length: WATCHERS }, () => '');
      const leave = new AbortController();
      const watching = known.map((_, i) =>
        follow(
          [one!.server.url, other!.server.url],
          'web',
          (instances) => (known[i] = [...instances.keys()].sort().join()),
          leave.signal,
        ),
      );
      await register(one!.http, { service_name: 'web', id: 'a', address: '10.0.0.1' });
      await until(() => known.every((each) => each === 'a'), PATIENCE_MS);
      await one!.end('SIGKILL');
      const killed = performance.now();
      await register(other!.http, { service_name: 'web', id: 'b', address: '10.0.0.2' });
      await until(() => known.every((each) => each === 'a,b'), PATIENCE_MS);
      console.log(`${registry.type}: ${Math.round(performance.now() - killed)} ms until ${WATCHERS} watchers went on`);
      leave.abort();
      await Promise.all(watching);
      expect(known).toEqual(Array.from({ length: WATCHERS }, () => 'a,b'));
      await other!.end('SIGTERM');
    },
    TEST_MS,
  );
});
