import type { ServiceInstance, StrategyModule } from '#core';
import { prepared } from './prepared.js';
import { anyPositive, Lottery, weightsOf } from './weights.js';

/**
 * At random, each with the share weight × (1 − cpu_usage / 100). Where that leaves nobody anything
 * (every processor is busy), weights alone decide.
 */
export const weighted: StrategyModule = {
  name: 'weighted',
  summary: 'At random by weight, less for whose cpu_usage is high.',
  create({ random }) {
    const lotteryOf = prepared((candidates) => {
      const weights = weightsOf(candidates);
      const shares = weights.map((weight, i) => weight * (1 - cpuUsageOf(candidates[i]!) / 100));
      return new Lottery(anyPositive(shares) ? shares : weights);
    });
    return {
      pick(candidates) {
        if (candidates.length === 0) return undefined;
        const lottery = lotteryOf(candidates);
        const winner = lottery.draw(random());
        return {
          instance: candidates[winner]!,
          get reason() {
            return `drawn by weight and idle processor, with a chance of ${lottery.chanceOf(winner)}`;
          },
        };
      },
    };
  },
};

/** Percent; 0 where the instance says nothing or nothing that is a number. */
function cpuUsageOf({ metadata }: ServiceInstance): number {
  const usage = Number(metadata.cpu_usage);
  return Number.isFinite(usage) ? Math.min(Math.max(usage, 0), 100) : 0;
}
