import { statusOf, type ServiceInstance, type StrategyContext, type StrategyModule } from '#core';
import { prepared } from './prepared.js';
import { anyPositive, Lottery } from './weights.js';

const STATUS_SCORES = { passing: 1, warning: 0.5, critical: 0, maintenance: 0 } as const;

/** Scores move over seconds: working them out this often is enough, and a pick costs one draw. */
const REFRESH_MS = 100;

interface Scores {
  lottery: Lottery;
  until: number;
}

/**
 * At random by score = status × (1 − error rate)² × fastest / response time, of the last seconds. By lot,
 * not the best alone: everybody would run to it, and nobody would learn that another has recovered.
 */
export const healthBased: StrategyModule = {
  name: 'health_based',
  summary: 'At random by a score of status, recent errors and recent response times.',
  create({ stats, now, random }) {
    const score = (candidates: readonly ServiceInstance[]): Scores => ({
      lottery: new Lottery(scoresOf(candidates, stats)),
      until: now() + REFRESH_MS,
    });
    const latest = prepared(score);
    return {
      pick(candidates) {
        if (candidates.length === 0) return undefined;
        const scores = latest(candidates);
        if (now() >= scores.until) Object.assign(scores, score(candidates));
        const { lottery } = scores;
        const winner = lottery.draw(random());
        return {
          instance: candidates[winner]!,
          get reason() {
            return `drawn by health and response time, with a chance of ${lottery.chanceOf(winner)}`;
          },
        };
      },
    };
  },
};

function scoresOf(candidates: readonly ServiceInstance[], stats: StrategyContext['stats']): readonly number[] {
  const seen = candidates.map((candidate) => stats(candidate));
  // Below a millisecond differences are noise.
  const fastest = Math.max(
    1,
    seen.reduce((least, { recentMs }) => Math.min(least, recentMs || Infinity), Infinity),
  );
  const scores = seen.map(({ recentMs, recentErrorRate }, i) => {
    // A newcomer is taken to be fast until it has shown otherwise.
    const speed = recentMs === 0 ? 1 : Math.min(1, fastest / recentMs);
    return STATUS_SCORES[statusOf(candidates[i]!)] * (1 - recentErrorRate) ** 2 * speed;
  });
  return anyPositive(scores) ? scores : scores.map(() => 1);
}
