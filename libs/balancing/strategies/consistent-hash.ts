import type { StrategyModule } from '#core';
import { finalize, murmur3 } from './murmur3.js';
import { prepared } from './prepared.js';
import { weightsOf } from './weights.js';

/**
 * Weighted rendezvous hashing: for a key every candidate draws u in (0, 1) from the hash of both, and the
 * greatest ln(u) / weight wins. A share is exactly the weight's, and when a candidate comes or goes, only
 * the keys that it gets or had move: no ring to keep, nothing to agree on between replicas.
 * Thaler & Ravishankar 1998; weights: https://datatracker.ietf.org/doc/draft-ietf-bess-weighted-hrw/
 */
export const consistentHash: StrategyModule = {
  name: 'consistent_hash',
  summary: 'The same key to the same instance; when one comes or goes only its own share of the keys moves.',
  create({ random }) {
    const drawOf = prepared((candidates) => ({
      hashes: Uint32Array.from(candidates, ({ serviceId }) => murmur3(serviceId)),
      weights: Float64Array.from(weightsOf(candidates)),
    }));
    return {
      pick(candidates, { hashKey }) {
        if (candidates.length === 0) return undefined;
        // Another seed than the ids': a key that is an id would cancel it out.
        const key = hashKey === undefined ? finalize(random() * 2 ** 32) : murmur3(hashKey, KEY_SEED);
        const { hashes, weights } = drawOf(candidates);
        let best = 0;
        let highest = -Infinity;
        for (let i = 0; i < hashes.length; i++) {
          const u = (finalize(hashes[i]! ^ key) + 0.5) / 2 ** 32;
          const score = Math.log(u) / weights[i]!;
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

const KEY_SEED = 1;
