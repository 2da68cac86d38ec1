import { afterEach, describe, expect, it } from '@jest/globals';
import { freePort } from '../servers/ports.js';
import { untilAnswer } from '../support/changes.js';
import { ids, register, type Service } from '../support/instances.js';
import { endProcesses, within } from '../support/process.js';
import { until } from '../support/until.js';
import { Reader } from './support/readers.js';
import { registriesOf } from './support/registries.js';
import { allKnow, Replica } from './support/replicas.js';

/** SOAK=1: a thousand reads a second. */
const READERS = process.env.SOAK ? 60 : 10;
const EVERY_MS = process.env.SOAK ? 60 : 100;
const PATH = '/api/v1/services/web';
const TEST_MS = 300_000;

afterEach(endProcesses);

describe.each(registriesOf('etcd'))('a rolling restart of three replicas on $type', (registry) => {
  it(
    'fails no read; who has waited or kept an answer goes on with another replica',
    async () => {
      const environment = await registry.environment();
      const ports = await Promise.all([freePort(), freePort(), freePort()]);
      const start = (port: number) => Replica.start({ ...environment, SERVICE_PORT: String(port) });
      let replicas = await Promise.all(ports.map(start));
      await allKnow(replicas, ports.length);
      for (const service_id of ['a', 'b', 'c']) await register(replicas[0]!.http, { service_name: 'web', service_id });
      for (const { http } of replicas) await untilAnswer(http, PATH, ({ status }) => status === 200, 'the service');

      const ending = new AbortController();
      // Where readers look: a replica that is ready, and until it has ended.
      const ready = replicas.map(({ server }) => server.url);
      const readers = Array.from({ length: READERS }, () => new Reader(ready, PATH));
      const total = (count: (reader: Reader) => number) => readers.reduce((sum, reader) => sum + count(reader), 0);
      const reading = Promise.all(readers.map((reader) => reader.readUntil(ending.signal, EVERY_MS)));

      for (const [i, port] of ports.entries()) {
        const [old, other] = [replicas[i]!, replicas[(i + 1) % ports.length]!];
        const { etag, revision } = await old.http.get<Service>(PATH);
        const waiting = old.http.get<Service>(`${PATH}?index=${revision}&wait=120s`);
        old.server.signal('SIGTERM');
        const answered = await within(waiting, 'the answer to the long poll');
        expect([answered.status, ids(answered.data.instances)]).toEqual([200, ['a', 'b', 'c']]);

        // The revision of one that has gone says nothing here; the content is the same.
        const elsewhere = await within(
          other.http.get<Service>(`${PATH}?index=${answered.revision}&wait=120s`),
          'all there is',
        );
        expect(elsewhere.revision.split('.')[0]).not.toBe(revision.split('.')[0]);
        expect(ids(elsewhere.data.instances)).toEqual(['a', 'b', 'c']);
        expect((await other.http.get(PATH, { 'if-none-match': etag })).status).toBe(304);

        expect(await within(old.server.exited, 'the end')).toEqual({ code: 0, signal: null });
        const moves = total((reader) => reader.moves);
        await until(() => total((reader) => reader.moves) > moves, 20_000);
        ready.splice(ready.indexOf(old.server.url), 1);
        await old.http.close();
        const fresh = await start(port);
        replicas = replicas.with(i, fresh);
        await allKnow(replicas, ports.length);
        ready.push(fresh.server.url);
      }

      ending.abort();
      await reading;
      expect(readers.flatMap(({ failures }) => failures)).toEqual([]);
      expect(total(({ answers }) => answers)).toBeGreaterThan(READERS * 10);
      expect(total(({ unchanged }) => unchanged)).toBe(total(({ answers }) => answers) - READERS);
      console.log(
        `${total(({ answers }) => answers)} reads, none failed; ${total(({ moves }) => moves)} times a replica was not there and the next one was asked`,
      );
      await Promise.all(replicas.map((replica) => replica.end('SIGTERM')));
    },
    TEST_MS,
  );
});
