import { describe, expect, it } from '@jest/globals';
import { fleet, Harness, named, tally } from '../testing/harness.js';
import { leastConnections } from './least-connections.js';

describe('least_connections', () => {
  it('takes who reports the fewest', () => {
    const candidates = fleet({
      a: { vitals: { activeConnections: 3 } },
      b: { vitals: { activeConnections: 1 } },
      c: { vitals: { activeConnections: 2 } },
    });
    expect(new Harness(leastConnections).picks(5, candidates)).toEqual(['b', 'b', 'b', 'b', 'b']);
  });

  it('adds picks that have not been reported', () => {
    const harness = new Harness(leastConnections);
    const candidates = fleet({ a: { vitals: { activeConnections: 2 } }, b: {} });
    const picks = Array.from({ length: 6 }, () => {
      const instance = harness.pick(candidates);
      harness.recorder.started(instance);
      return instance.serviceId;
    });
    expect(picks.slice(0, 2)).toEqual(['b', 'b']);
    expect(tally(picks)).toEqual({ a: 2, b: 4 });
  });

  it('takes off what was reported, and forgets what never is', () => {
    const harness = new Harness(leastConnections);
    const [a, b] = named('a', 'b');
    harness.recorder.started(a!);
    harness.recorder.started(a!);
    harness.recorder.started(b!);
    expect(harness.pick([a!, b!])).toBe(b);
    harness.recorder.finished(a!, { ok: true });
    harness.recorder.finished(a!, { released: true });
    expect(harness.pick([a!, b!])).toBe(a);
    harness.time += 30_000;
    harness.recorder.started(a!);
    harness.recorder.started(a!);
    expect(harness.pick([a!, b!])).toBe(b);
    harness.time += 30_000;
    harness.recorder.started(b!);
    harness.recorder.started(b!);
    harness.time += 30_000;
    expect(harness.pick([a!, b!])).toBe(a);
  });

  it('lets equals draw lots', () => {
    const counts = tally(new Harness(leastConnections).picks(3_000, named('a', 'b', 'c')));
    for (const count of Object.values(counts)) expect(Math.abs(count - 1_000)).toBeLessThan(100);
  });
});
