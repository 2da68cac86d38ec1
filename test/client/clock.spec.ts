import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CircuitOpenError, DiscoveryClient, PRESETS, ServiceCommunicator, type CallPolicy } from '#client';
// An entry of its own, which only tests need.
import { startDiscovery, TestClock, type LocalDiscovery } from '../../libs/client/testing/index.js';
import { until } from '../support/until.js';

const NEVER = new AbortController().signal;

describe('the clock of a test', () => {
  it('wakes who waits when it is time, in turn, and at once who is told to stop', async () => {
    const clock = new TestClock();
    const order: string[] = [];
    const wait = async (name: string, ms: number, signal = NEVER) => {
      await clock.pause(ms, signal);
      order.push(`${name} ${clock.now()}`);
    };
    const ended = new AbortController();
    const began = clock.nextPause();
    const waits = [wait('late', 300), wait('soon', 100).then(() => wait('then', 50)), wait('told', 200, ended.signal)];
    expect(await began).toBe(300);
    await clock.advance(99);
    expect(order).toEqual([]);
    ended.abort();
    await clock.advance(201);
    await Promise.all([...waits, clock.pause(1, AbortSignal.abort())]);
    expect(order).toEqual(['told 99', 'soon 100', 'then 150', 'late 300']);
  });
});

describe('by the clock of a test', () => {
  let discovery: LocalDiscovery;
  let clock: TestClock;
  let client: DiscoveryClient;
  beforeEach(async () => {
    discovery = await startDiscovery();
    clock = new TestClock();
    client = new DiscoveryClient({ servers: [discovery.url], clock });
    await client.ready();
  });
  afterEach(async () => {
    await client.close();
    await discovery.stop();
  });

  it('a registration beats, and drains', async () => {
    let beats = 0;
    const load = () => ({ loadPercentage: ++beats });
    const registration = await client.register({ service: 'web', id: 'me', host: '127.0.0.1', port: 80, load });
    for (let lease = 1; lease <= 3; lease++) {
      discovery.expire('web', 'me');
      const done = clock.nextPause();
      await clock.advance(10_000);
      await done;
      expect([beats, discovery.instances('web').length]).toEqual([lease, 1]);
    }
    const drains = clock.nextPause();
    const left = registration.leave({ drainMs: 60_000 });
    expect(await drains).toBe(60_000);
    expect(discovery.instances('web')).toMatchObject([{ status: 'critical' }]);
    await clock.advance(60_000);
    await left;
    expect(discovery.instances('web')).toEqual([]);
  });

  describe('calls', () => {
    let failures: number;
    let asked: number;
    const backend = createServer((_request, response) => {
      asked++;
      response.writeHead(failures-- > 0 ? 500 : 200).end('{}');
    });
    beforeEach(async () => {
      failures = asked = 0;
      backend.listen(0, '127.0.0.1');
      await once(backend, 'listening');
      discovery.register({ service: 'web', id: 'a', host: '127.0.0.1', port: (backend.address() as AddressInfo).port });
      await until(() => client.instances('web').length === 1);
    });
    afterEach(async () => {
      backend.close();
      backend.closeAllConnections();
      await once(backend, 'close');
    });
    const call = (policy: Partial<CallPolicy> = {}) => {
      const communicator = new ServiceCommunicator(client, { policy: { ...PRESETS.standard, ...policy } });
      return () => communicator.call({ service: 'web', path: '/' });
    };

    it('wait before they try again', async () => {
      failures = 1;
      const began = clock.nextPause();
      const answer = call()();
      expect(await began).toBeLessThanOrEqual(PRESETS.standard.baseDelayMs);
      expect(asked).toBe(1);
      await clock.advance(PRESETS.standard.baseDelayMs);
      expect(await answer).toMatchObject({ status: 200, attempts: 2 });
    });

    it('leave alone what has failed, and try it once when it is time', async () => {
      const { failureThreshold, recoveryMs } = PRESETS.standard;
      failures = failureThreshold + 1;
      const once = call({ maxAttempts: 1 });
      for (let i = 0; i < failureThreshold; i++) expect((await once()).status).toBe(500);
      for (let i = 0; i < 2; i++) {
        await clock.advance(recoveryMs - 1);
        await expect(once()).rejects.toThrow(CircuitOpenError);
        await clock.advance(1);
        expect((await once()).status).toBe(i === 0 ? 500 : 200);
      }
      expect((await once()).status).toBe(200);
      expect(asked).toBe(failureThreshold + 3);
    });
  });
});
