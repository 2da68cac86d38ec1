import { context, type Context } from '@opentelemetry/api';
import { keyText } from '#core';
import type { CatalogChange } from '#catalog';
import type { Observer } from './observed.js';

/**
 * In whose context a change is made. A registry may tell of it before whoever wrote it has its answer: of an instance
 * that is being written from here, what is told meanwhile counts as that.
 */
export class Origins {
  private readonly underWay = new Map<string, Context>();

  readonly observe: Observer = async ({ key }, work) => {
    if (!key) return work();
    const [text, origin] = [keyText(key), context.active()];
    this.underWay.set(text, origin);
    try {
      return await work();
    } finally {
      // The answer is on its way through several promises, and what the registry tells may be faster.
      setImmediate(() => {
        if (this.underWay.get(text) === origin) this.underWay.delete(text);
      });
    }
  };

  /** Does something about a change where it comes from, as far as that is known here. */
  within(change: CatalogChange, work: () => void): void {
    const origin = 'instance' in change ? this.underWay.get(keyText(change.instance)) : undefined;
    context.with(origin ?? context.active(), work);
  }
}
