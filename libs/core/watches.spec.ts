import { describe, expect, it } from '@jest/globals';
import { BackendError, Watches, type RegistryEvent, type RegistrySnapshot } from './index.js';

const EMPTY: RegistrySnapshot = { instances: [], asOf: '0', incarnation: 'one' };
const stale = { kind: 'stale', error: new BackendError('UNAVAILABLE', 'away') } as const;

function reading(
  watches: Watches,
  signal = new AbortController().signal,
): () => Promise<RegistryEvent['kind'] | 'end'> {
  const stream = watches.watch(signal)[Symbol.asyncIterator]();
  return async () => {
    const result = await stream.next();
    return result.done ? 'end' : result.value.kind;
  };
}

describe('the readers of a watch', () => {
  it('are all told the same', async () => {
    const watches = new Watches(() => EMPTY);
    const readers = [reading(watches), reading(watches)];
    for (const next of readers) expect(await next()).toBe('snapshot');
    watches.tell(stale);
    for (const next of readers) expect(await next()).toBe('stale');
    watches.tell({ kind: 'live', asOf: '0' });
    for (const next of readers) expect(await next()).toBe('live');
    watches.resync();
    for (const next of readers) expect(await next()).toBe('snapshot');
  });

  it.each<[string, (watches: Watches) => void]>([
    ['live', (watches) => watches.tell({ kind: 'live', asOf: '0' })],
    ['a resync', (watches) => watches.resync()],
  ])('hear of an outage when they come in it, until %s ends it', async (_, mend) => {
    const watches = new Watches(() => EMPTY);
    watches.tell(stale);
    const during = reading(watches);
    expect(await during()).toBe('stale');
    mend(watches);
    expect(await during()).toBe('snapshot');
    expect(await reading(watches)()).toBe('snapshot');
  });

  it('end when they abort, and all of them with the backend', async () => {
    const watches = new Watches(() => EMPTY);
    const aborter = new AbortController();
    const [aborted, staying] = [reading(watches, aborter.signal), reading(watches)];
    for (const next of [aborted, staying]) expect(await next()).toBe('snapshot');
    aborter.abort();
    expect(await aborted()).toBe('end');
    watches.end();
    expect(await staying()).toBe('end');
    expect(await reading(watches)()).toBe('end');
  });
});
