import type { ServiceInstance, StrategyModule } from '#core';

/** More than any response time: who has no history and somebody waiting comes last. */
const PENALTY_MS = 1e9;

/**
 * The cheaper of two random ones (Mitzenmacher 2001, "The power of two choices in randomized load
 * balancing"), where cost = peak-sensitive average response time × (in flight + 1).
 * Without history the first call goes through and the next wait for its result, so that a newcomer is
 * not flooded: all as Finagle's PeakEwma does it.
 * https://github.com/twitter/finagle/blob/develop/finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/PeakEwma.scala
 */
export const powerOfTwo: StrategyModule = {
  name: 'power_of_two',
  summary: 'Of two random ones the one that answers sooner, by peak-sensitive response time and calls in flight.',
  create({ stats, random }) {
    const costOf = (instance: ServiceInstance) => {
      const { requests, peakMs, inFlight } = stats(instance);
      if (requests === 0) return inFlight === 0 ? 0 : PENALTY_MS + inFlight;
      // Below a millisecond, or where durations are never told, the calls in flight decide.
      return Math.max(peakMs, 1) * (inFlight + 1);
    };
    return {
      pick(candidates) {
        if (candidates.length < 2) return candidates[0] && { instance: candidates[0], reason: 'the only one' };
        const i = Math.floor(random() * candidates.length);
        const j = (i + 1 + Math.floor(random() * (candidates.length - 1))) % candidates.length;
        const [first, second] = [candidates[i]!, candidates[j]!];
        const [ofFirst, ofSecond] = [costOf(first), costOf(second)];
        return {
          instance: ofSecond < ofFirst ? second : first,
          get reason() {
            const costs = `${first.serviceId} costs ${ofFirst.toFixed(1)}, ${second.serviceId} ${ofSecond.toFixed(1)}`;
            return `the cheaper of two by response time and calls in flight: ${costs}`;
          },
        };
      },
    };
  },
};
