import type { StrategyModule } from '#core';

export const random: StrategyModule = {
  name: 'random',
  summary: 'Any of them, each as likely as the others.',
  create: ({ random }) => ({
    pick(candidates) {
      const instance = candidates[Math.floor(random() * candidates.length)];
      return instance && { instance, reason: 'drawn at random' };
    },
  }),
};
