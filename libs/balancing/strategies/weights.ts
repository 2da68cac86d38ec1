import { DEFAULT_WEIGHT, weightOf, type ServiceInstance } from '#core';

/** The weights of the candidates; all the same when every one is 0, since somebody has to take the traffic. */
export function weightsOf(candidates: readonly ServiceInstance[]): readonly number[] {
  const weights = candidates.map((candidate) => {
    const weight = weightOf(candidate);
    // What another tool has written into a registry has not been through our validation.
    return weight >= 0 && weight < Infinity ? weight : DEFAULT_WEIGHT;
  });
  return anyPositive(weights) ? weights : weights.map(() => 1);
}

export function anyPositive(weights: readonly number[]): boolean {
  return weights.some((weight) => weight > 0);
}

/** Draws an index with the probability of its share, of which at least one is positive. */
export class Lottery {
  private readonly upTo: Float64Array;
  private readonly total: number;

  constructor(shares: readonly number[]) {
    let total = 0;
    this.upTo = Float64Array.from(shares, (share) => (total += share));
    this.total = total;
  }

  /** In words, for people. */
  chanceOf(index: number): string {
    const share = this.upTo[index]! - (index === 0 ? 0 : this.upTo[index - 1]!);
    return `${((100 * share) / this.total).toFixed(1)} %`;
  }

  draw(random: number): number {
    const ticket = random * this.total;
    let low = 0;
    let high = this.upTo.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.upTo[middle]! > ticket) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
