import { Distribution } from './distribution.js';
import type { Labels, Sample } from './metrics.js';

/** Something for each combination of labels that has come up. What labels can be must be bounded: each is a series. */
class Labelled<Value> {
  private readonly cells = new Map<string, [Labels, Value]>();

  constructor(
    private readonly names: readonly string[],
    private readonly make: () => Value,
  ) {}

  protected cell(values: readonly string[]): [Labels, Value] {
    const key = values.join('\n');
    let cell = this.cells.get(key);
    if (!cell) {
      const labels = Object.fromEntries(this.names.map((name, i) => [name, values[i]!]));
      this.cells.set(key, (cell = [labels, this.make()]));
    }
    return cell;
  }

  [Symbol.iterator](): Iterator<Sample<Value>> {
    return this.cells.values();
  }
}

/** How often each of a few things has happened. */
export class Counts extends Labelled<number> {
  constructor(...names: string[]) {
    super(names, () => 0);
  }

  add(...values: string[]): void {
    this.cell(values)[1]++;
  }
}

/** A distribution for each of a few things. */
export class Distributions extends Labelled<Distribution> {
  constructor(bounds: readonly number[], ...names: string[]) {
    super(names, () => new Distribution(bounds));
  }

  of(...values: string[]): Distribution {
    return this.cell(values)[1];
  }
}
