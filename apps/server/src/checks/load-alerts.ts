import { keyOf, keyText, type Logger, type ServiceInstance } from '#core';
import type { CatalogChange } from '#catalog';

/** Says once that an instance's load has crossed the threshold, and again only after it was below. */
export class LoadAlerts {
  private readonly above = new Set<string>();

  constructor(
    private readonly threshold: number,
    private readonly logger: Logger,
    private readonly raised: (instance: ServiceInstance, threshold: number) => void,
  ) {}

  see(change: CatalogChange): void {
    if (change.kind === 'freshness') return;
    if (change.kind === 'remove') this.above.delete(keyText(change.instance));
    else this.judge(change.instance);
  }

  private judge(instance: ServiceInstance): void {
    const { loadPercentage } = instance.vitals;
    if (loadPercentage === undefined) return;
    const key = keyText(instance);
    if (loadPercentage < this.threshold) {
      this.above.delete(key);
      return;
    }
    if (this.above.has(key)) return;
    this.above.add(key);
    this.raised(instance, this.threshold);
    this.logger.warn({ ...keyOf(instance), load: loadPercentage, threshold: this.threshold }, 'critical load');
  }
}
