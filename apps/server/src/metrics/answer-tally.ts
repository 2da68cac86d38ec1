import type { ServiceCounter } from './service-series.js';

/** How reads were answered: of those about one service, which. */
export class AnswerTally {
  /** From what an earlier one has left behind. */
  hits = 0;
  misses = 0;

  constructor(private readonly discoveries: Pick<ServiceCounter, 'add'>) {}

  get hitRatio(): number {
    const all = this.hits + this.misses;
    return all === 0 ? 0 : this.hits / all;
  }

  count(serviceName: string | undefined, kept: boolean): void {
    if (kept) this.hits++;
    else this.misses++;
    if (serviceName !== undefined) this.discoveries.add(serviceName);
  }
}
