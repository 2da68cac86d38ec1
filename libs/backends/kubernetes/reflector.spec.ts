import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Client, WatchEvent } from './client.js';
import type { KubernetesObject } from './objects.js';
import { Reflector } from './reflector.js';

// The order in which answers to requests and the word of the watch arrive is nothing that a real API server can be
// made to keep.

let reflector: Reflector<KubernetesObject>;
let told: Promise<void>;

beforeEach(() => {
  told = new Promise((resolve) => {
    const client = {
      list: async () => ({ metadata: { resourceVersion: '1' }, items: [] }),
      async *watch(_path: string, _query: object, _idleMs: number, signal: AbortSignal) {
        yield [];
        yield [event('ADDED', '5'), event('DELETED', '6')];
        resolve();
        await new Promise((ended) => signal.addEventListener('abort', ended));
      },
    } as unknown as Client;
    reflector = new Reflector(client, { path: '/leases' }, { changed: none, rewound: none, standing: none });
  });
  reflector.start();
});
afterEach(() => reflector.stop());

it('does not bring back what the watch has told the end of, when a request that was faster answers late', async () => {
  await told;
  reflector.observe(object('5'));
  expect([...reflector.objects.keys()]).toEqual([]);
});

it('shows what a request has made before the watch tells it', async () => {
  await told;
  reflector.observe(object('7'));
  expect([...reflector.objects.keys()]).toEqual(['default/one']);
});

function object(resourceVersion: string): KubernetesObject {
  return { metadata: { name: 'one', namespace: 'default', resourceVersion } };
}

function event(type: WatchEvent<unknown>['type'], version: string): WatchEvent<KubernetesObject> {
  return { type, object: object(version) };
}

function none(): void {
  // Nobody listens.
}
