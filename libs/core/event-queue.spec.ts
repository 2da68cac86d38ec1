import { describe, expect, it } from '@jest/globals';
import {
  BackendError,
  RegistryEventQueue,
  type RegistryChange,
  type RegistryEvent,
  type RegistrySnapshot,
} from './index.js';
import { registered } from './transitions.js';
import { registration } from './testing/registrations.js';

const error = new BackendError('UNAVAILABLE', 'away');
const stale: RegistryChange = { kind: 'stale', error };
const EMPTY: RegistrySnapshot = { instances: [], asOf: '0', incarnation: 'one' };

function upsert(serviceId: string, version: number): RegistryChange {
  const record = registered(undefined, registration({ serviceId }), 'test', 0);
  return { kind: 'upsert', instance: { ...record, version: String(version), vitals: {} } };
}

function brief(event: RegistryEvent): string {
  if (event.kind === 'upsert') return `${event.instance.serviceId}@${event.instance.version}`;
  return event.kind === 'snapshot' || event.kind === 'live' ? `${event.kind}@${event.asOf}` : event.kind;
}

/** Reads what is there until nothing comes any more. */
class Reader {
  private readonly stream: AsyncIterator<RegistryEvent>;
  private next: Promise<IteratorResult<RegistryEvent>> | undefined;

  constructor(queue: RegistryEventQueue) {
    this.stream = queue[Symbol.asyncIterator]();
  }

  async read(): Promise<string[]> {
    const seen: string[] = [];
    for (;;) {
      this.next ??= this.stream.next();
      const result = await Promise.race([
        this.next,
        new Promise<undefined>((resolve) => setImmediate(resolve, undefined)),
      ]);
      if (!result) return seen;
      this.next = undefined;
      if (result.done) return [...seen, 'end'];
      seen.push(brief(result.value));
    }
  }
}

describe('what waits for the reader of a watch', () => {
  it('begins with a snapshot, and leaves out what was pushed before it', async () => {
    const queue = new RegistryEventQueue(() => EMPTY);
    queue.push(upsert('early', 1));
    const reader = new Reader(queue);
    expect(await reader.read()).toEqual(['snapshot@0']);
    queue.push(upsert('a', 1));
    expect(await reader.read()).toEqual(['a@1']);
    queue.end();
    expect(await reader.read()).toEqual(['end']);
  });

  it('keeps the latest event of each instance', async () => {
    const queue = new RegistryEventQueue(() => EMPTY);
    const reader = new Reader(queue);
    await reader.read();
    for (let i = 1; i <= 100; i++) for (const id of ['a', 'b']) queue.push(upsert(id, i));
    expect(await reader.read()).toEqual(['a@100', 'b@100']);
  });

  it('tells a snapshot instead of too many', async () => {
    const queue = new RegistryEventQueue(() => ({ ...EMPTY, asOf: '20000' }));
    const reader = new Reader(queue);
    await reader.read();
    for (let i = 0; i < 10_002; i++) queue.push(upsert(`id-${i}`, 1));
    expect(await reader.read()).toEqual(['snapshot@20000']);
  });

  it('does not forget an outage that began before the first read', async () => {
    const queue = new RegistryEventQueue(() => EMPTY);
    queue.push(stale);
    const reader = new Reader(queue);
    expect(await reader.read()).toEqual(['stale']);
    queue.push({ kind: 'live', asOf: '0' });
    expect(await reader.read()).toEqual(['snapshot@0']);
  });

  it('does not forget an outage in an overflow', async () => {
    const queue = new RegistryEventQueue(() => EMPTY);
    const reader = new Reader(queue);
    await reader.read();
    for (let i = 0; i < 10_002; i++) queue.push(upsert(`id-${i}`, 1));
    queue.push(stale);
    expect(await reader.read()).toEqual(['stale']);
    queue.resync();
    expect(await reader.read()).toEqual(['snapshot@0']);
    queue.push(upsert('a', 1));
    expect(await reader.read()).toEqual(['a@1']);
  });

  it('tells that the registry is back after all that came before', async () => {
    const queue = new RegistryEventQueue(() => EMPTY);
    const reader = new Reader(queue);
    await reader.read();
    queue.push(stale);
    queue.push(upsert('a', 1));
    expect(await reader.read()).toEqual(['stale', 'a@1']);
    queue.push(upsert('b', 2));
    queue.push(upsert('c', 3));
    queue.push({ kind: 'live', asOf: '3' });
    expect(await reader.read()).toEqual(['b@2', 'c@3', 'live@3']);
  });

  it('waits for a snapshot, and drops what it covers', async () => {
    let arrive!: (snapshot: RegistrySnapshot) => void;
    const queue = new RegistryEventQueue(() => new Promise<RegistrySnapshot>((resolve) => (arrive = resolve)));
    const reader = new Reader(queue);
    expect(await reader.read()).toEqual([]);
    queue.push(upsert('covered', 5));
    queue.push(upsert('newer', 6));
    arrive({ ...EMPTY, asOf: '5' });
    expect(await reader.read()).toEqual(['snapshot@5', 'newer@6']);
  });

  it('believes no snapshot that an outage has overtaken', async () => {
    const arrivals: ((snapshot: RegistrySnapshot) => void)[] = [];
    const queue = new RegistryEventQueue(() => new Promise<RegistrySnapshot>((resolve) => arrivals.push(resolve)));
    const reader = new Reader(queue);
    await reader.read();
    queue.push(stale);
    arrivals[0]!(EMPTY);
    expect(await reader.read()).toEqual(['stale']);
    queue.push({ kind: 'live', asOf: '3' });
    await reader.read();
    arrivals[1]!({ ...EMPTY, asOf: '3' });
    expect(await reader.read()).toEqual(['snapshot@3']);
  });

  it('takes a snapshot again when what it was reading has become worthless', async () => {
    const arrivals: ((snapshot: RegistrySnapshot) => void)[] = [];
    const queue = new RegistryEventQueue(() => new Promise<RegistrySnapshot>((resolve) => arrivals.push(resolve)));
    const reader = new Reader(queue);
    await reader.read();
    queue.resync();
    await reader.read();
    arrivals[0]!(EMPTY);
    arrivals[1]!({ ...EMPTY, asOf: '7' });
    expect(await reader.read()).toEqual(['snapshot@7']);
  });

  it('fails when no snapshot can be had', async () => {
    const queue = new RegistryEventQueue(() => Promise.reject(error));
    await expect(new Reader(queue).read()).rejects.toBe(error);
  });
});
