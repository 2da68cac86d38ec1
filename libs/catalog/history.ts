import type { ServiceInstance } from '#core';
import type { ContentChange } from './changes.js';

/** What a change takes beside the text of its instance, about. */
const OVERHEAD_BYTES = 512;

/** The latest changes of content, in order, for whoever was away for a while: of about so many bytes. */
export class History {
  private readonly changes: ContentChange[] = [];
  private first = 0;
  private bytes = 0;
  private forgotten = 0;

  constructor(private readonly maxBytes: number) {}

  /** Nothing that came after this revision is missing. */
  get since(): number {
    return this.forgotten;
  }

  record(change: ContentChange): void {
    this.changes.push(change);
    this.bytes += sizeOf(change.instance);
    while (this.bytes > this.maxBytes) this.forget();
  }

  /** What came after the revision; undefined when some of that is forgotten. */
  after(revision: number): readonly ContentChange[] | undefined {
    if (revision < this.forgotten) return undefined;
    let [low, high] = [this.first, this.changes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.changes[middle]!.revision > revision) high = middle;
      else low = middle + 1;
    }
    return this.changes.slice(low);
  }

  private forget(): void {
    const { revision, instance } = this.changes[this.first++]!;
    this.forgotten = revision;
    this.bytes -= sizeOf(instance);
    if (this.first * 2 < this.changes.length) return;
    this.changes.splice(0, this.first);
    this.first = 0;
  }
}

function sizeOf({ tags, metadata }: ServiceInstance): number {
  let bytes = OVERHEAD_BYTES;
  for (const tag of tags) bytes += tag.length;
  for (const [key, value] of Object.entries(metadata)) bytes += key.length + value.length;
  return bytes;
}
