import { EventEmitter, once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ids, register, type Service } from '../support/instances.js';
import { endProcesses, TEST_MS, within } from '../support/process.js';
import { OWN_WATCHES } from './support/own-watch.js';
import { REGISTRIES } from './support/registries.js';
import { Replica } from './support/replicas.js';

const WRITES = 200;
/** Of a machine that does other things too; docs/replicas.md has what a quiet one measures. */
const MOST_MS = 10_000;

afterEach(endProcesses);

/** When each id was first seen. */
class Seen {
  private readonly at = new Map<string, number>();
  private readonly told = new EventEmitter();

  see(id: string): void {
    if (this.at.has(id)) return;
    this.at.set(id, performance.now());
    this.told.emit(id);
  }

  async when(id: string): Promise<number> {
    if (!this.at.has(id)) await within(once(this.told, id), id);
    return this.at.get(id)!;
  }
}

describe.each(REGISTRIES)('a registration through one replica on $type', (registry) => {
  it(
    'is soon in what another one answers',
    async () => {
      const environment = await registry.environment();
      const [written, read] = await Replica.startSeveral(2, environment);
      const [here, registryItself] = [new Seen(), new Seen()];
      const ending = new AbortController();
      const ownWatch = OWN_WATCHES[registry.type];
      const tell = (text: string) => {
        for (const [id] of text.matchAll(/lag-\d+/g)) registryItself.see(id);
      };
      const watching = [
        follow(read!, here, ending.signal),
        ...(ownWatch ? [ownWatch(environment, tell, ending.signal)] : []),
      ];
      const watched = Promise.allSettled(watching);

      const lags: number[] = [];
      const beside: number[] = [];
      for (let i = 0; i < WRITES; i++) {
        const id = `lag-${i}`;
        await register(written!.http, { service_name: 'lag', service_id: id });
        const acknowledged = performance.now();
        lags.push((await here.when(id)) - acknowledged);
        if (ownWatch) beside.push((await registryItself.when(id)) - acknowledged);
      }
      ending.abort();
      await watched;
      const own = ownWatch ? `; the registry's own watch: ${figures(beside)}` : '';
      console.log(
        `${registry.type}: from the answer to the writer to another replica's answer: ${figures(lags)}${own}`,
      );
      expect(percentile(lags, 99)).toBeLessThan(MOST_MS);
    },
    TEST_MS,
  );
});

/** By long polls, until told to end. */
async function follow({ http }: Replica, seen: Seen, signal: AbortSignal): Promise<void> {
  for (let index = '0'; ;) {
    const path = `/api/v1/services/lag?index=${index}&wait=60s`;
    const answer = await http.send<Service>('GET', path, { signal });
    index = answer.revision;
    if (answer.status === 200) for (const id of ids(answer.data.instances)) seen.see(id);
  }
}

/** Below nought, it was there before the writer had its answer. */
function figures(lags: readonly number[]): string {
  return `p50 ${percentile(lags, 50).toFixed(0)} ms, p99 ${percentile(lags, 99).toFixed(0)} ms`;
}

function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil((sorted.length * percent) / 100) - 1]!;
}
