import { anyKeyHash, drawOf, keyHash, nodeHash, type StrategyModule } from '#core';
import { prepared } from './prepared.js';
import { weightsOf } from './weights.js';

/**
 * Weighted rendezvous hashing: of what the candidates draw for a key, the greatest ln(u) / weight wins, so
 * that a share is exactly the weight's.
 * https://datatracker.ietf.org/doc/draft-ietf-bess-weighted-hrw/
 */
export const consistentHash: StrategyModule = {
  name: 'consistent_hash',
  summary: 'The same key to the same instance; when one comes or goes only its own share of the keys moves.',
  create({ random }) {
    const lotsOf = prepared((candidates) => ({
      hashes: Uint32Array.from(candidates, ({ serviceId }) => nodeHash(serviceId)),
      weights: Float64Array.from(weightsOf(candidates)),
    }));
    return {
      pick(candidates, { hashKey }) {
        if (candidates.length === 0) return undefined;
        const key = hashKey === undefined ? anyKeyHash(random()) : keyHash(hashKey);
        const { hashes, weights } = lotsOf(candidates);
        let best = 0;
        let highest = -Infinity;
        for (let i = 0; i < hashes.length; i++) {
          const score = Math.log(drawOf(hashes[i]!, key)) / weights[i]!;
          if (score > highest) {
            best = i;
            highest = score;
          }
        }
        const reason =
          hashKey === undefined ? 'no key: drawn at random by weight' : `highest hash with the key ${hashKey}`;
        return { instance: candidates[best]!, reason };
      },
    };
  },
};
