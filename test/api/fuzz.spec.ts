import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Contract, isStream, type Operation } from '../support/contract.js';
import type { Sent } from '../support/http-client.js';
import { registerAll } from '../support/instances.js';
import { TestServer } from '../support/server.js';

// Whatever anybody sends, to whichever route: the answer is one that the document has for it, and never
// the server's own failure. Nothing is probed here: checks are switched off.

let server: TestServer;
let contract: Contract;
beforeAll(async () => {
  server = await TestServer.start();
  contract = await Contract.of(server.http);
  await registerAll(server.http, 'web', { a: { tags: ['x'], metadata: { v: '1' } }, b: {} });
});
afterAll(() => server.stop());

const FIELDS = [
  ...['service_name', 'name', 'service_id', 'id', 'instance_id', 'address', 'host', 'port', 'protocol', 'path', 'tags'],
  ...[
    'metadata',
    'weight',
    'region',
    'zone',
    'status',
    'ttl',
    'enable_tag_override',
    'health_check',
    'type',
    'interval',
  ],
  ...[
    'timeout',
    'url',
    'http_path',
    'load_percentage',
    'active_connections',
    'services',
    'ok',
    'duration_ms',
    'released',
  ],
  ...['constructor', 'toString', '__proto__', 'success', ''],
];
const PARAMETERS = [
  ...['tags', 'healthy_only', 'region', 'zone', 'limit', 'cursor', 'index', 'min_revision', 'include', 'metadata.v'],
  ...['strategy', 'exclude', 'key', 'explain', 'service', 'reason', 'wait', 'since', 'ticket', 'metadata.'],
  ...['__proto__', 'x'],
];

const text = fc.oneof(
  fc.constantFrom(
    'web',
    'a',
    'b',
    'x',
    '127.0.0.1',
    '10s',
    '0',
    '-1',
    '1e9',
    'true',
    '..',
    '\u0000',
    '',
    '😀',
    '\ud800',
    'http',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.integer().map(String),
);
const scalar = fc.oneof(
  text,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constantFrom(null, 1, 80, 1e308, -0, Number.MAX_SAFE_INTEGER),
);
const field = fc.oneof(fc.constantFrom(...FIELDS), fc.string({ maxLength: 5 }));
const { value: json } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.dictionary(field, tie('value'), { maxKeys: 6 }),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
}));

/** Mostly something that is almost right: what is far from it is refused at the door. */
const almost = fc
  .tuple(fc.dictionary(field, fc.oneof(scalar, json), { maxKeys: 5 }), fc.constantFrom('web', 'Web', 'other'))
  .map(([over, name]) => ({ service_name: name, address: '127.0.0.1', port: 1, ...over }));
const body = fc.oneof(
  json,
  almost,
  almost.map((one) => ({ services: [one, null] })),
  fc.array(almost, { maxLength: 3 }),
);
const bytes = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.uint8Array({ maxLength: 30 }).map((array) => Buffer.from(array)),
);

const query = fc.array(fc.tuple(fc.constantFrom(...PARAMETERS), text), { maxLength: 3 }).map((pairs) =>
  // A poll that is held until it times out would hold us up as well.
  pairs.map(([name, value]) => `${encode(name)}=${name === 'wait' ? '1ms' : encode(value)}`).join('&'),
);

function encode(value: string): string {
  // Lone surrogates have no encoding.
  return encodeURIComponent(Buffer.from(value).toString());
}

function pathOf(operation: Operation, parts: readonly string[]): string {
  let used = 0;
  return operation.path.replace(/\{\w+\}/g, () => encode(parts[used++ % parts.length]!) || 'x');
}

async function answersAsDocumented(operation: Operation, path: string, sent: Sent): Promise<void> {
  // A stream that is opened would hold us up: HEAD has the same answer without it.
  if (isStream(operation)) {
    const { status } = await server.http.send('HEAD', path);
    expect([path, [404, 405, ...Object.keys(operation.responses).map(Number)].includes(status)]).toEqual([path, true]);
    return;
  }
  const answer = await server.http.send(operation.method, path, sent);
  expect(answer.status).toBeLessThan(500);
  // What falls on another route, `instances/` with nothing behind it, say, is not this operation's.
  if (answer.status === 405 || (answer.status === 404 && answer.problem.code === 'NO_SUCH_ROUTE')) return;
  expect(contract.complaints(operation, answer)).toEqual([]);
}

const RUNS = { numRuns: 400 };

describe('anything that is sent', () => {
  const parts = fc.array(fc.oneof(fc.constantFrom('web', 'a', 'nobody'), text), { minLength: 2, maxLength: 2 });
  const which = fc.nat();

  it('as a body is answered as documented', async () => {
    const writes = contract.operations.filter(({ method }) => method !== 'GET');
    const property = fc.asyncProperty(which, parts, fc.oneof(body, bytes), async (chosen, places, sent) => {
      const operation = writes[chosen % writes.length]!;
      await answersAsDocumented(operation, pathOf(operation, places), { body: sent });
    });
    await fc.assert(property, RUNS);
  });

  it('as a query is answered as documented', async () => {
    const property = fc.asyncProperty(which, parts, query, async (chosen, places, asked) => {
      const operation = contract.operations[chosen % contract.operations.length]!;
      const sent = operation.method === 'GET' ? {} : { body: {} };
      await answersAsDocumented(operation, `${pathOf(operation, places)}?${asked}`, sent);
    });
    await fc.assert(property, RUNS);
  });

  it('as a raw target is answered, whatever it is', async () => {
    const raw = fc.string({ unit: 'grapheme-ascii', maxLength: 40 }).map((each) => each.replace(/[\s#]/g, ''));
    const property = fc.asyncProperty(raw, async (target) => {
      const answer = await server.http.get(`/api/v1/services${target.startsWith('?') ? '' : '/'}${target}`);
      expect(answer.status).toBeLessThan(500);
      if (answer.status >= 400) expect(answer.problem.status).toBe(answer.status);
    });
    await fc.assert(property, { numRuns: 200 });
  });

  it('leaves the server well', async () => {
    const { status, json: health } = await server.http.get('/health');
    expect([status, health.status]).toEqual([200, 'healthy']);
    expect((await server.http.get('/api/v1/services?include=instances')).status).toBe(200);
  });
});
