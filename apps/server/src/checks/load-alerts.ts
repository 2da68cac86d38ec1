import { keyOf, keyText, type ServiceInstance } from '#core';
import type { CatalogChange } from '#catalog';
import type { Alerts } from '../alerts/alerts.js';

/** Says once that an instance's load has crossed the threshold, and again only after it was below. */
export class LoadAlerts {
  private readonly above = new Set<string>();

  constructor(
    private readonly threshold: number,
    private readonly alerts: Alerts,
  ) {}

  see(change: CatalogChange): void {
    if (change.kind === 'freshness') return;
    if (change.kind === 'remove') this.end(change.instance);
    else this.judge(change.instance);
  }

  private judge(instance: ServiceInstance): void {
    const { loadPercentage } = instance.vitals;
    if (loadPercentage === undefined) return;
    if (loadPercentage < this.threshold) {
      this.end(instance);
      return;
    }
    const key = keyText(instance);
    if (this.above.has(key)) return;
    this.above.add(key);
    const details = { load_percentage: loadPercentage, threshold: this.threshold };
    this.alerts.raise({ name: 'critical_load', ...keyOf(instance), details }, instance);
  }

  private end(instance: ServiceInstance): void {
    if (this.above.delete(keyText(instance))) this.alerts.clear({ name: 'critical_load', ...keyOf(instance) });
  }
}
