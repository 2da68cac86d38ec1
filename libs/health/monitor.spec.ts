import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BackendError, type ProbeResult } from '#core';
import { deferred, hangs, Harness, says } from './testing/harness.js';
import { check, instance } from './testing/instances.js';

const key = { serviceName: 'api', serviceId: 'api-1' };
const never = new AbortController().signal;

describe('health monitor', () => {
  let harness: Harness;

  beforeEach(() => {
    // A whole number of ticks of the wheel.
    jest.useFakeTimers({ now: 1_800_000_000_000 });
    harness = new Harness();
  });

  afterEach(async () => {
    const stopped = harness.monitor.stop();
    await advance(1_000);
    await stopped;
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  function advance(ms: number): Promise<void> {
    return jest.advanceTimersByTimeAsync(ms);
  }

  function begin(over: Parameters<typeof instance>[0] = {}): void {
    harness.monitor.upsert(instance(over));
    harness.monitor.start();
  }

  describe('when it probes', () => {
    it('first within five seconds, then at every interval without drift', async () => {
      let slow = 0;
      harness.answer = () => new Promise((resolve) => setTimeout(() => resolve(says('passing')), (slow += 100)));
      begin({ check: check({ interval: 4_000, timeout: 3_000 }) });
      await advance(31_000);
      expect(harness.times()).toEqual([2_000, 6_000, 10_000, 14_000, 18_000, 22_000, 26_000, 30_000]);
    });

    it('moves the second and third probe of a long interval forward, by at most half', async () => {
      begin({ check: check({ interval: 25_000 }) });
      await advance(100_000);
      expect(harness.times()).toEqual([2_500, 21_250, 40_000, 65_000, 90_000]);
    });

    it('what it is told of later, too, and nothing before it is started', async () => {
      harness.monitor.upsert(instance());
      await advance(60_000);
      expect(harness.probes).toEqual([]);
      harness.monitor.start();
      harness.monitor.upsert(instance({ serviceId: 'api-2' }));
      await advance(5_000);
      expect(harness.probes).toHaveLength(2);
    });

    it('never twice at once: after an overrun at once', async () => {
      harness.answer = hangs;
      begin({ check: check({ interval: 2_000, timeout: 5_000 }) });
      await advance(13_000);
      expect(harness.times()).toEqual([1_000, 6_000, 11_000]);
    });

    it('not again right after a short look that somebody asked for', async () => {
      harness.answer = () => new Promise((resolve) => setTimeout(() => resolve(says('passing')), 200));
      begin({ check: check({ interval: 4_000 }) });
      await advance(1_900);
      const asked = harness.monitor.checkNow(key, never);
      await advance(5_000);
      await asked;
      expect(harness.times()).toEqual([1_900, 6_000]);
    });

    it.each([2, 3])('soon enough to find one that hangs as long as its interval, %d failures', async (failures) => {
      const patient = check({ interval: 4_000, timeout: 4_000, failuresBeforeCritical: failures });
      begin({ check: patient });
      await advance(2_010);
      // It ends a little after its deadline, as it does in life.
      const late = (result: ProbeResult) => new Promise<ProbeResult>((end) => setTimeout(() => end(result), 5));
      harness.answer = async (target, signal) => late(await hangs(target, signal));
      await advance(failures * 4_000 + 5_000);
      expect(harness.statuses()).toEqual(['warning', 'critical']);
    });

    it('on time, however many others hang, and though it begins to hang itself', async () => {
      harness = new Harness({ concurrency: 4 });
      harness.answer = (target, signal) => (target.port === 1 ? hangs(target, signal) : says('passing'));
      const long = check({ interval: 10_000, timeout: 10_000 });
      for (let i = 0; i < 500; i++) {
        harness.monitor.upsert(instance({ serviceName: `dead${i}`, port: 1, probed: 'critical', check: long }));
      }
      harness.monitor.start();
      await advance(30_000);
      begin({ check: check({ interval: 2_000, timeout: 1_000 }) });
      await advance(10_000);
      const good = () => harness.probes.filter(({ target }) => target.port === 8080);
      expect(good()).toHaveLength(5);
      harness.answer = hangs;
      await advance(5_000);
      expect(harness.written).toMatchObject([{ status: 'warning' }, { status: 'critical' }]);
    });

    it('not those that nobody asks to, or that live by heartbeats', async () => {
      begin({ check: undefined });
      harness.monitor.upsert(instance({ serviceId: 'ttl', check: check({ type: 'ttl' }) }));
      await advance(60_000);
      expect(harness.probes).toEqual([]);
    });

    it('those in maintenance, too', async () => {
      begin({ maintenance: { reason: 'new disk' } });
      await advance(5_000);
      expect(harness.probes).toHaveLength(1);
    });

    it('aims at the instance with its options', async () => {
      begin({ address: '10.1.1.1', port: 99, protocol: 'https', check: check({ options: { http_path: '/x' } }) });
      await advance(5_000);
      expect(harness.probes[0]?.target).toEqual({
        address: '10.1.1.1',
        port: 99,
        protocol: 'https',
        options: { http_path: '/x' },
      });
    });

    it('no more once it is gone', async () => {
      begin();
      await advance(5_000);
      harness.monitor.remove(key);
      await advance(60_000);
      expect(harness.probes).toHaveLength(1);
      expect(harness.monitor.report(key)).toBeUndefined();
    });
  });

  describe('deadlines', () => {
    it('end a probe that hangs, as a failure', async () => {
      harness.answer = hangs;
      begin({ check: check({ timeout: 700 }) });
      await advance(5_000);
      expect(harness.monitor.report(key)).toMatchObject({
        status: 'warning',
        output: 'hung: no answer within 700 ms',
        durationMs: 700,
      });
    });

    it('free the place of a probe that does not heed them', async () => {
      harness.answer = () => new Promise(() => {});
      begin({ check: check({ timeout: 700 }) });
      await advance(5_000);
      expect(harness.monitor.report(key)?.output).toBe('cannot be checked: the probe does not heed its deadline');
    });
  });

  describe('what it writes', () => {
    it('nothing while all is well', async () => {
      begin();
      await advance(300_000);
      expect(harness.written).toEqual([]);
    });

    it('each change once, with the version that it is about', async () => {
      const story: Record<string, ProbeResult> = { 20: says('critical'), 30: says('critical'), 40: says('critical') };
      harness.answer = () => story[Math.ceil(harness.now() / 10_000) * 10] ?? says('passing');
      begin();
      await advance(70_000);
      expect(harness.written.map(({ status, version }) => [status, version])).toEqual([
        ['warning', '1'],
        ['critical', '2'],
        ['passing', '3'],
      ]);
      expect(harness.setStatus.mock.calls[0]![2]).toEqual(says('critical'));
    });

    it('recovers what was critical before this process began', async () => {
      begin({ probed: 'critical' });
      await advance(5_000);
      expect(harness.statuses()).toEqual(['passing']);
    });

    it('never makes complaints critical', async () => {
      harness.answer = () => says('warning');
      begin();
      await advance(100_000);
      expect(harness.statuses()).toEqual(['warning']);
    });

    it('a write that does not show yet is not repeated', async () => {
      harness.setStatus.mockImplementation(async () => {});
      harness.answer = () => says('critical');
      begin();
      await advance(100_000);
      expect(harness.statuses()).toEqual(['warning', 'critical']);
    });

    it('one write at a time of an instance', async () => {
      const slow = deferred<undefined>();
      harness.setStatus.mockImplementationOnce(() => slow.promise);
      harness.answer = () => says('critical');
      begin();
      await advance(60_000);
      expect(harness.statuses()).toEqual(['warning']);
      slow.resolve(undefined);
      await advance(10_000);
      expect(harness.statuses()).toEqual(['warning', 'critical']);
    });

    it('again before the next probe when the registry did not take it, and tells once that it did not', async () => {
      for (let i = 0; i < 2; i++) harness.setStatus.mockRejectedValueOnce(new BackendError('UNAVAILABLE', 'away'));
      harness.answer = () => says('warning');
      begin();
      await advance(8_000);
      expect(harness.probes).toHaveLength(1);
      expect(harness.statuses()).toEqual(['warning', 'warning', 'warning']);
      expect(harness.warnings()).toEqual(['health status not written']);
    });

    it.each(['CONFLICT', 'NOT_FOUND'] as const)(
      'after %s nothing until the next view, and then at once',
      async (code) => {
        harness.setStatus.mockRejectedValueOnce(new BackendError(code, 'overtaken'));
        harness.answer = () => says('warning');
        begin();
        await advance(60_000);
        expect(harness.statuses()).toEqual(['warning']);
        expect(harness.warnings()).toEqual([]);
        harness.monitor.upsert(instance({ version: '7', tags: ['new'] }));
        await advance(0);
        expect(harness.written.map(({ version }) => version)).toEqual(['1', '7']);
      },
    );

    it('does not take its own late word for that of somebody else', async () => {
      const slow = deferred<undefined>();
      const patient = check({ interval: 1_000, successBeforePassing: 2 });
      harness.setStatus.mockImplementationOnce(() => slow.promise);
      harness.answer = () => says('warning');
      begin({ check: patient });
      await advance(1_000);
      // It has recovered before the registry has answered.
      harness.answer = () => says('passing');
      await advance(2_000);
      slow.resolve(undefined);
      harness.monitor.upsert(instance({ check: patient, version: '2', probed: 'warning' }));
      await advance(1_000);
      expect(harness.written.map(({ status, version }) => [status, version])).toEqual([
        ['warning', '1'],
        ['passing', '2'],
      ]);
    });

    it("goes on from somebody else's word", async () => {
      begin({ check: check({ successBeforePassing: 2 }) });
      await advance(5_000);
      // Registered again, with a status.
      harness.monitor.upsert(instance({ check: check({ successBeforePassing: 2 }), version: '2', probed: 'critical' }));
      await advance(10_000);
      expect(harness.statuses()).toEqual([]);
      await advance(10_000);
      expect(harness.statuses()).toEqual(['passing']);
    });

    it('tells what moves with every probe', async () => {
      harness.answer = () => says('passing', { loadPercentage: 0.3, data: { db: 'ok' } });
      begin();
      await advance(15_000);
      expect(harness.observe.mock.calls).toEqual([
        [key, { lastHealthCheck: Date.now() - 12_500, loadPercentage: 0.3, loadAt: Date.now() - 12_500 }],
        [key, { lastHealthCheck: Date.now() - 5_000, loadPercentage: 0.3, loadAt: Date.now() - 5_000 }],
      ]);
      expect(harness.onProbe.mock.calls).toEqual([
        ['fake', 0, 'passing'],
        ['fake', 0, 'passing'],
      ]);
      expect(harness.monitor.report(key)).toEqual({
        ...key,
        checkId: 'service:api-1',
        type: 'fake',
        status: 'passing',
        output: 'says passing',
        timestamp: Date.now() - 5_000,
        durationMs: 0,
        data: { db: 'ok' },
      });
    });
  });

  describe('a probe that cannot be made', () => {
    it('says nothing of the instance, and is said once', async () => {
      harness.answer = () => Promise.reject(new Error('EMFILE'));
      begin({ probed: 'warning' });
      await advance(60_000);
      expect(harness.written).toEqual([]);
      expect(harness.observe).not.toHaveBeenCalled();
      expect(harness.monitor.report(key)).toMatchObject({ status: 'warning', output: 'cannot be checked: EMFILE' });
      expect(harness.warnings()).toHaveLength(1);
      expect(harness.onProbe).toHaveBeenCalledWith('fake', 0, 'error');
    });

    it('is for this process, where that stood still while it waited', async () => {
      let stall = 0;
      harness = new Harness({ monotonic: () => Date.now() + stall });
      harness.answer = hangs;
      begin({ check: check({ interval: 10_000, timeout: 5_000, failuresBeforeCritical: 1 }) });
      await advance(6_000);
      stall = 60_000;
      await advance(4_500);
      expect(harness.monitor.report(key)?.output).toBe('cannot be checked: this process stood still meanwhile');
      expect(harness.written).toEqual([]);
    });

    it('is of a type that is not known here', async () => {
      begin({ check: check({ type: 'newer' }) });
      await advance(60_000);
      expect(harness.written).toEqual([]);
      expect(harness.monitor.report(key)?.output).toBe('cannot be checked: there is no probe of type "newer" here');
    });
  });

  describe('what has changed meanwhile', () => {
    it.each([
      ['address', { address: '10.9.9.9' }],
      ['port', { port: 1 }],
      ['protocol', { metadata: { protocol: 'https' } }],
      ['check', { check: check({ options: { http_path: '/new' } }) }],
    ])('%s: the probe of the old one is ended and discarded', async (_, change) => {
      harness.answer = hangs;
      begin();
      await advance(3_000);
      const asked = harness.monitor.checkNow(key, never);
      harness.answer = () => says('passing');
      harness.monitor.upsert(instance({ ...change, version: '2' }));
      await expect(asked).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(harness.monitor.report(key)).toBeUndefined();
      await advance(5_000);
      expect(harness.written).toEqual([]);
      expect(harness.monitor.report(key)).toMatchObject({ status: 'passing' });
    });

    it('other fields: the probe stands, and its word is about the newest version', async () => {
      const answer = deferred<ProbeResult>();
      harness.answer = () => answer.promise;
      begin({ check: check({ timeout: 60_000 }) });
      await advance(3_000);
      harness.monitor.upsert(instance({ check: check({ timeout: 60_000 }), tags: ['new'], version: '2' }));
      answer.resolve(says('warning'));
      await advance(0);
      expect(harness.written).toMatchObject([{ status: 'warning', version: '2' }]);
    });

    it('a removal: what the probe finds is discarded', async () => {
      const answer = deferred<ProbeResult>();
      harness.answer = () => answer.promise;
      begin();
      await advance(3_000);
      const asked = harness.monitor.checkNow(key, never);
      harness.monitor.remove(key);
      answer.resolve(says('critical'));
      await expect(asked).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(harness.observe).not.toHaveBeenCalled();
    });
  });

  describe('checking now', () => {
    it('shares one probe among all who ask and the schedule', async () => {
      const answer = deferred<ProbeResult>();
      harness.answer = () => answer.promise;
      begin();
      await advance(3_000);
      const asked = [harness.monitor.checkNow(key, never), harness.monitor.checkNow(key, never)];
      answer.resolve(says('critical'));
      const [first, second] = await Promise.all(asked);
      expect(first).toMatchObject({ status: 'warning', output: 'says critical' });
      expect(second).toBe(first);
      expect(harness.probes).toHaveLength(1);
    });

    it('has written what it found when it resolves', async () => {
      harness.answer = () => says('critical');
      harness.monitor.upsert(instance());
      await harness.monitor.checkNow(key, never);
      await harness.monitor.checkNow(key, never);
      expect(harness.statuses()).toEqual(['warning', 'critical']);
    });

    it('waits no longer than its signal, which does not end the probe', async () => {
      const answer = deferred<ProbeResult>();
      harness.answer = () => answer.promise;
      begin();
      const asked = harness.monitor.checkNow(key, AbortSignal.abort(new Error('gone')));
      await expect(asked).rejects.toThrow('gone');
      const abort = new AbortController();
      const left = harness.monitor.checkNow(key, abort.signal);
      abort.abort(new Error('gone'));
      await expect(left).rejects.toThrow('gone');
      answer.resolve(says('passing'));
      await advance(0);
      expect(harness.monitor.report(key)).toMatchObject({ status: 'passing' });
    });

    it('of one that lives by heartbeats is what they say', async () => {
      begin({ check: check({ type: 'ttl' }), reported: 'warning', vitals: { lastHeartbeat: 1_000 } });
      expect(await harness.monitor.checkNow(key, never)).toEqual({
        ...key,
        checkId: 'service:api-1',
        type: 'ttl',
        status: 'warning',
        output: 'api/api-1 lives by its heartbeats, the latest at 1970-01-01T00:00:01.000Z',
        timestamp: 1_000,
        durationMs: 0,
      });
      expect(harness.monitor.report(key)).toMatchObject({ type: 'ttl', status: 'warning' });
    });

    it('of what has no check is not found', async () => {
      begin({ check: undefined });
      await expect(harness.monitor.checkNow(key, never)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });
  });

  describe('eviction', () => {
    const evicting = check({ interval: 5_000, deregisterCriticalAfter: 30_000, failuresBeforeCritical: 1 });

    it('comes after it was critical for longer than it may, once', async () => {
      harness.answer = () => says('critical');
      begin({ check: evicting });
      await advance(2_500 + 30_000);
      expect(harness.evicted).toEqual([]);
      await advance(2_500);
      expect(harness.evicted).toMatchObject([{ ...key, version: '2' }]);
      await advance(60_000);
      expect(harness.evicted).toHaveLength(1);
    });

    it.each([
      ['0 never', { check: check({ deregisterCriticalAfter: 0 }), probed: 'critical' as const }],
      ['of a warning instance never', { check: evicting, probed: 'warning' as const }],
    ])('%s', async (_, over) => {
      harness.answer = () => (over.probed === 'warning' ? says('warning') : says('critical'));
      begin(over);
      await advance(300_000);
      expect(harness.evicted).toEqual([]);
    });

    it('is not for one in maintenance, and counts anew after it', async () => {
      const ttl = { check: { ...evicting, type: 'ttl' }, reported: 'critical' } as const;
      begin({ ...ttl, maintenance: { reason: 'new disk' } });
      await advance(300_000);
      expect(harness.evicted).toEqual([]);
      harness.monitor.upsert(instance({ ...ttl, version: '2' }));
      await advance(30_000);
      expect(harness.evicted).toEqual([]);
      await advance(3_000);
      expect(harness.evicted).toMatchObject([{ version: '2' }]);
    });

    it('counts anew after a recovery', async () => {
      harness.answer = () => (harness.now() > 20_000 && harness.now() < 25_000 ? says('passing') : says('critical'));
      begin({ check: evicting });
      await advance(50_000);
      expect(harness.evicted).toEqual([]);
      await advance(10_000);
      expect(harness.evicted).toHaveLength(1);
    });

    it('is for those whose heartbeats say critical, too', async () => {
      begin({ check: { ...evicting, type: 'ttl' }, reported: 'critical' });
      await advance(33_000);
      expect(harness.evicted).toHaveLength(1);
    });

    it('is not for one that has recovered, though the registry does not know yet', async () => {
      harness.setStatus.mockImplementation(() => Promise.reject(new BackendError('UNAVAILABLE', 'away')));
      begin({ check: evicting, probed: 'critical' });
      await advance(120_000);
      expect(harness.evicted).toEqual([]);
    });

    it('is tried again when it failed', async () => {
      harness.evict.mockRejectedValueOnce(new BackendError('UNAVAILABLE', 'away'));
      begin({ check: { ...evicting, type: 'ttl' }, reported: 'critical' });
      await advance(40_000);
      expect(harness.evict).toHaveBeenCalledTimes(2);
    });

    it('overtaken by another change waits for that to show', async () => {
      harness.evict.mockRejectedValueOnce(new BackendError('CONFLICT', 'overtaken'));
      const ttl = { check: { ...evicting, type: 'ttl' }, reported: 'critical' } as const;
      begin(ttl);
      await advance(60_000);
      expect(harness.evict).toHaveBeenCalledTimes(1);
      harness.monitor.upsert(instance({ ...ttl, version: '2' }));
      await advance(1_000);
      expect(harness.evicted).toMatchObject([{ version: '2' }]);
    });

    it('does not count a time in which this process stood still', async () => {
      let stall = 0;
      harness = new Harness({ monotonic: () => Date.now() + stall });
      harness.answer = () => says('critical');
      begin({ check: evicting });
      await advance(20_000);
      stall = 3_600_000;
      await advance(10_000);
      expect(harness.evicted).toEqual([]);
      await advance(10_000);
      expect(harness.evicted).toHaveLength(1);
    });
  });

  describe('of those that are probed elsewhere', () => {
    const lasting = check({ interval: 5_000, deregisterCriticalAfter: 30_000, failuresBeforeCritical: 1 });

    it('probes none, and ends what is under way for one that is handed over', async () => {
      const patient = { check: check({ interval: 10_000, timeout: 10_000 }) };
      harness.monitor.upsert(instance(patient), false);
      harness.monitor.start();
      await advance(60_000);
      expect(harness.probes).toEqual([]);
      await expect(harness.monitor.checkNow(key, never)).rejects.toMatchObject({ code: 'NOT_FOUND' });

      harness.answer = hangs;
      harness.monitor.upsert(instance(patient));
      await advance(5_000);
      expect(harness.probes).toHaveLength(1);
      const asked = harness.monitor.checkNow(key, never);
      const refused = expect(asked).rejects.toMatchObject({ code: 'NOT_FOUND' });
      harness.monitor.upsert(instance(patient), false);
      await refused;
      await advance(60_000);
      expect(harness.probes).toHaveLength(1);
      expect(harness.written).toEqual([]);
      expect(harness.monitor.report(key)).toBeUndefined();
    });

    it('evicts none', async () => {
      harness.monitor.upsert(instance({ check: { ...lasting, type: 'ttl' }, reported: 'critical' }), false);
      harness.monitor.start();
      await advance(300_000);
      expect(harness.evicted).toEqual([]);
    });

    it('evicts one that it takes over as soon as it was critical for too long and a probe of its own says so', async () => {
      harness.answer = hangs;
      const critical = { check: { ...lasting, timeout: 4_000 }, probed: 'critical' } as const;
      harness.monitor.upsert(instance(critical), false);
      harness.monitor.start();
      await advance(60_000);
      harness.monitor.upsert(instance(critical));
      await advance(6_000);
      expect(harness.probes).toHaveLength(1);
      expect(harness.evicted).toEqual([]);
      await advance(2_000);
      expect(harness.evicted).toHaveLength(1);
    });

    it('counts anew for one that it takes over and finds well', async () => {
      harness.monitor.upsert(instance({ check: lasting, probed: 'critical' }), false);
      harness.monitor.start();
      await advance(60_000);
      harness.monitor.upsert(instance({ check: lasting, probed: 'critical' }));
      await advance(5_000);
      harness.answer = () => says('critical');
      await advance(30_000);
      expect(harness.evicted).toEqual([]);
      await advance(10_000);
      expect(harness.evicted).toHaveLength(1);
    });
  });

  describe('while the registry is away', () => {
    it('probes, but writes and evicts nothing, and no clock runs', async () => {
      const evicting = check({ interval: 5_000, deregisterCriticalAfter: 30_000 });
      harness.answer = () => says('critical');
      begin({ check: evicting, probed: 'critical' });
      await advance(20_000);
      harness.monitor.setOnline(false);
      const probed = harness.probes.length;
      await advance(300_000);
      expect(harness.probes).toHaveLength(probed + 60);
      expect(harness.evicted).toEqual([]);
      harness.answer = () => says('passing');
      await advance(5_000);
      expect(harness.written).toEqual([]);
      harness.monitor.setOnline(true);
      await advance(5_000);
      expect(harness.statuses()).toEqual(['passing']);
      expect(harness.evicted).toEqual([]);
    });

    it('goes on counting where it stopped', async () => {
      begin({ check: check({ type: 'ttl', deregisterCriticalAfter: 30_000 }), reported: 'critical' });
      await advance(20_000);
      harness.monitor.setOnline(false);
      await advance(300_000);
      harness.monitor.setOnline(true);
      await advance(9_000);
      expect(harness.evicted).toEqual([]);
      await advance(4_000);
      expect(harness.evicted).toHaveLength(1);
    });
  });

  describe('stopping', () => {
    it('ends what is in flight, waits for what is being written, and leaves no timer', async () => {
      const writing = deferred<undefined>();
      harness.setStatus.mockImplementation(() => writing.promise);
      harness.answer = (target, signal) => (target.port === 1 ? hangs(target, signal) : says('warning'));
      begin();
      harness.monitor.upsert(instance({ serviceId: 'api-2', port: 1, check: check({ timeout: 60_000 }) }));
      await advance(5_000);
      const asked = harness.monitor.checkNow({ ...key, serviceId: 'api-2' }, never);
      asked.catch(() => {});
      let stopped = false;
      const stop = harness.monitor.stop().then(() => (stopped = true));
      await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await advance(0);
      expect(stopped).toBe(false);
      writing.resolve(undefined);
      await stop;
      expect(harness.closed).toBe(1);
      expect(jest.getTimerCount()).toBe(0);
    });

    it('is final, and may be asked for twice', async () => {
      begin();
      await Promise.all([harness.monitor.stop(), harness.monitor.stop()]);
      harness.monitor.upsert(instance());
      harness.monitor.start();
      await advance(60_000);
      expect(harness.probes).toEqual([]);
      await expect(harness.monitor.checkNow(key, never)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });
  });

  describe('thousands', () => {
    const COUNT = 2_000;

    it('spreads them, and has so many in flight at once', async () => {
      let seed = 1;
      const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
      harness = new Harness({ random, concurrency: 20 });
      let flying = 0;
      let most = 0;
      harness.answer = async () => {
        most = Math.max(most, ++flying);
        await new Promise((resolve) => setTimeout(resolve, 20));
        flying--;
        return says('passing');
      };
      const long = check({ interval: 30_000 });
      for (let i = 0; i < COUNT; i++) {
        harness.monitor.upsert(instance({ serviceName: `s${i % 100}`, serviceId: `${i}`, check: long }));
      }
      harness.monitor.start();
      // One wheel for all, whatever their number.
      expect(jest.getTimerCount()).toBe(1);
      await advance(5_200);
      expect(harness.probes).toHaveLength(COUNT);
      await advance(60_000);
      const before = harness.probes.length;
      await advance(30_000);
      const round = harness.probes.slice(before);
      expect(round).toHaveLength(COUNT);
      expect(most).toBeLessThanOrEqual(20);

      const perSecond = Array<number>(30).fill(0);
      for (const { at } of round) perSecond[Math.floor(at / 1_000) % 30]!++;
      // Evenly would be 67 a second; as close together as the first probes, 400.
      expect(Math.max(...perSecond)).toBeLessThan(100);
      expect(Math.min(...perSecond)).toBeGreaterThan(35);
    });
  });
});
