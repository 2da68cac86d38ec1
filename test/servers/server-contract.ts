import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { describeOwn } from './describe-own.js';
import { shared, type ServerKind } from './kind.js';
import type { Server } from './server.js';

const TEST_MS = 120_000;

/** What holds of every server that tests start, and of the one that they share. */
export function serverContract(
  kind: ServerKind,
  client: {
    write(address: string, key: string, value: string): Promise<void>;
    /** Rejects when the server does not answer within a second. */
    read(address: string, key: string): Promise<string>;
  },
  start: () => Promise<Server> = () => kind.start(),
): void {
  it('answers at the address that all suites share', async () => {
    const key = randomUUID();
    await client.write(shared(kind), key, 'hello');
    expect(await client.read(shared(kind), key)).toBe('hello');
  });

  describeOwn(kind)('one of our own', () => {
    let server: Server;
    beforeEach(async () => {
      server = await start();
    }, TEST_MS);
    afterEach(() => server.stop());

    it(
      'is killed and comes back with its data',
      async () => {
        await client.write(server.address, 'kept', 'yes');
        await server.kill();
        await expect(client.read(server.address, 'kept')).rejects.toThrow();
        await server.restart();
        expect(await client.read(server.address, 'kept')).toBe('yes');
      },
      TEST_MS,
    );

    it(
      'is suspended and resumed',
      async () => {
        await client.write(server.address, 'kept', 'yes');
        await server.suspend();
        await expect(client.read(server.address, 'kept')).rejects.toThrow();
        server.resume();
        expect(await client.read(server.address, 'kept')).toBe('yes');
      },
      TEST_MS,
    );

    it('is gone when it is stopped', async () => {
      const { pid } = server;
      await server.stop();
      expect(existsSync(`/proc/${pid}`)).toBe(false);
    });
  });
}
