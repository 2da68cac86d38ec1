import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OutcomeRecorder } from './outcomes.js';
import { DECAY_MS, FAILURE_MS } from './tally.js';

const KEY = { serviceName: 'api', serviceId: 'api-1' };
const OTHER = { serviceName: 'api', serviceId: 'api-2' };
const MINUTE = 60_000;

describe('OutcomeRecorder', () => {
  let time: number;
  let recorder: OutcomeRecorder;

  beforeEach(() => {
    time = 0;
    recorder = new OutcomeRecorder({ now: () => time });
  });

  describe('in flight', () => {
    it('counts a pick until it is reported', () => {
      const done = recorder.started(KEY);
      recorder.started(KEY);
      expect(recorder.stats(KEY)).toMatchObject({ inFlight: 2, picks: 2, requests: 0 });
      done({ ok: true, durationMs: 5 });
      expect(recorder.stats(KEY)).toMatchObject({ inFlight: 1, picks: 2, requests: 1 });
      expect(recorder.stats(OTHER).inFlight).toBe(0);
    });

    it('lets one pick report its end once', () => {
      recorder.started(KEY);
      const done = recorder.started(KEY);
      done({ ok: true });
      done({ ok: true });
      expect(recorder.stats(KEY)).toMatchObject({ inFlight: 1, requests: 1 });
    });

    it('keeps a connection that is said to be open still', () => {
      const done = recorder.started(KEY);
      done({ ok: true, durationMs: 5, released: false });
      expect(recorder.stats(KEY)).toMatchObject({ inFlight: 1, requests: 1 });
      done({ released: true });
      expect(recorder.stats(KEY)).toMatchObject({ inFlight: 0, requests: 1 });
    });

    it('forgets a pick after a minute, and not much earlier', () => {
      for (const start of [0, 500, 30_000]) {
        time = start;
        recorder.started(KEY);
      }
      for (const [at, inFlight] of [
        [58_900, 3],
        [60_500, 1],
        [88_900, 1],
        [90_000, 0],
      ] as const) {
        time = at;
        expect(recorder.stats(KEY).inFlight).toBe(inFlight);
      }
    });

    it('does not fall below none for reports of picks that were made elsewhere or long ago', () => {
      recorder.finished(KEY, { ok: true });
      recorder.started(KEY);
      time += 10 * MINUTE;
      recorder.finished(KEY, { ok: true });
      expect(recorder.stats(KEY).inFlight).toBe(0);
      recorder.started(KEY);
      expect(recorder.stats(KEY).inFlight).toBe(1);
    });

    it('counts as a list of all picks would, where the youngest end first', () => {
      const steps = fc.array(fc.record({ wait: fc.oneof(fc.nat(3), fc.nat(70)), starts: fc.nat(3), ends: fc.nat(3) }), {
        maxLength: 60,
      });
      fc.assert(
        fc.property(steps, (all) => {
          const checked = new OutcomeRecorder({ now: () => time });
          time = 0;
          let open: number[] = [];
          for (const { wait, starts, ends } of all) {
            time += wait * 1_000;
            open = open.filter((at) => time - at < MINUTE);
            for (let i = 0; i < starts; i++) {
              checked.started(KEY);
              open.push(time);
            }
            for (let i = 0; i < ends; i++) {
              checked.finished(KEY, { released: true });
              open.pop();
            }
            expect(checked.stats(KEY).inFlight).toBe(open.length);
          }
        }),
      );
    });
  });

  describe('what is reported', () => {
    it('sums requests, errors and durations', () => {
      recorder.finished(KEY, { ok: true, durationMs: 10 });
      recorder.finished(KEY, { ok: false, durationMs: 50 });
      recorder.finished(KEY, { ok: true });
      recorder.finished(KEY, { durationMs: 30 });
      recorder.finished(KEY, { released: true });
      expect(recorder.stats(KEY)).toMatchObject({ requests: 4, errors: 1, averageMs: 30 });
    });

    it.each([NaN, -1, Infinity])('takes a duration of %d for none', (durationMs) => {
      recorder.finished(KEY, { ok: true, durationMs });
      recorder.finished(KEY, { ok: true, durationMs: 20 });
      expect(recorder.stats(KEY)).toMatchObject({ requests: 2, averageMs: 20, recentMs: 20, peakMs: 20 });
    });

    it('weighs by age: after the decay time an observation counts 1/e', () => {
      recorder.finished(KEY, { ok: true, durationMs: 100 });
      time += DECAY_MS;
      recorder.finished(KEY, { ok: true, durationMs: 20 });
      const old = Math.exp(-1);
      expect(recorder.stats(KEY).recentMs).toBeCloseTo((100 * old + 20) / (old + 1), 6);
    });

    it('forgets errors as they grow old, and says little on little evidence', () => {
      recorder.finished(KEY, { ok: false });
      expect(recorder.stats(KEY).recentErrorRate).toBeCloseTo(1 / 2, 6);
      for (let i = 0; i < 8; i++) recorder.finished(KEY, { ok: false });
      expect(recorder.stats(KEY).recentErrorRate).toBeCloseTo(9 / 10, 6);
      time += 10 * DECAY_MS;
      expect(recorder.stats(KEY).recentErrorRate).toBeLessThan(0.001);
      expect(recorder.stats(KEY).errors).toBe(9);
    });

    it('jumps to a peak and decays from it', () => {
      recorder.finished(KEY, { ok: true, durationMs: 20 });
      recorder.finished(KEY, { ok: true, durationMs: 800 });
      expect(recorder.stats(KEY).peakMs).toBe(800);
      time += DECAY_MS;
      expect(recorder.stats(KEY).peakMs).toBeCloseTo(800 / Math.E, 6);
      recorder.finished(KEY, { ok: true, durationMs: 20 });
      expect(recorder.stats(KEY).peakMs).toBeCloseTo(800 / Math.E + 20 * (1 - 1 / Math.E), 6);
    });

    it('takes a failure for slow', () => {
      recorder.finished(KEY, { ok: false, durationMs: 1 });
      expect(recorder.stats(KEY)).toMatchObject({ averageMs: 1, peakMs: FAILURE_MS });
    });
  });

  describe('totals', () => {
    it('adds up a service', () => {
      recorder.started(KEY)({ ok: true, durationMs: 10 });
      recorder.started(OTHER)({ ok: false, durationMs: 30 });
      recorder.started(OTHER);
      const totals = { serviceName: 'api', picks: 3, requests: 2, errors: 1, averageMs: 20, errorRate: 0.5 };
      expect(recorder.totals('api')).toEqual(totals);
      expect(recorder.totals('web')).toMatchObject({ serviceName: 'web', requests: 0, errorRate: 0 });
    });

    it('keeps them when an instance goes, until the last has gone', () => {
      recorder.started(KEY)({ ok: true });
      recorder.started(OTHER)({ ok: true });
      recorder.forget(KEY);
      expect(recorder.stats(KEY).requests).toBe(0);
      expect(recorder.totals('api').requests).toBe(2);
      recorder.forget(OTHER);
      recorder.forget(OTHER);
      expect(recorder.totals('api')).toMatchObject({ picks: 0, requests: 0 });
    });

    it('is not brought back by the late report of a pick of somebody gone', () => {
      const done = recorder.started(KEY);
      recorder.forget(KEY);
      done({ ok: true, durationMs: 5 });
      expect(recorder.totals('api')).toMatchObject({ picks: 0, requests: 0 });
    });
  });
});
