/**
 * The latest mark of each key that has gone, for a bounded number of them. Of a key that was
 * forgotten, the answer is the largest mark ever forgotten: too new is safe, too old never.
 */
export class Departed<Mark> {
  private readonly marks = new Map<string, Mark>();
  private floor: Mark | undefined;

  constructor(
    private readonly capacity: number,
    private readonly newer: (a: Mark, b: Mark) => boolean,
  ) {}

  set(key: string, mark: Mark): void {
    this.marks.delete(key);
    this.marks.set(key, mark);
    if (this.marks.size <= this.capacity) return;
    const [[oldest, forgotten]] = this.marks as unknown as [[string, Mark]];
    this.marks.delete(oldest);
    if (this.floor === undefined || this.newer(forgotten, this.floor)) this.floor = forgotten;
  }

  /** The mark of exactly this key. */
  get(key: string): Mark | undefined {
    return this.marks.get(key);
  }

  /** The mark of this key, or the safe one when it may have been forgotten. */
  atLeast(key: string): Mark | undefined {
    return this.marks.get(key) ?? this.floor;
  }

  delete(key: string): void {
    this.marks.delete(key);
  }

  clear(): void {
    this.marks.clear();
    this.floor = undefined;
  }
}
