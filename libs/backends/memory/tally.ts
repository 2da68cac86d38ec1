import { crc32 } from 'node:zlib';

/** Number and checksum of a set of entries; the order in which they came makes no difference. */
export class Tally {
  private readonly checksums = new Map<string, number>();
  private sum = 0;

  get count(): number {
    return this.checksums.size;
  }

  get checksum(): number {
    return this.sum;
  }

  /** Counts the entry in the place of an earlier one of that key; undefined takes it out. */
  set(key: string, value: string | undefined): void {
    this.sum -= this.checksums.get(key) ?? 0;
    if (value === undefined) {
      this.checksums.delete(key);
    } else {
      const checksum = crc32(value, crc32(key));
      this.checksums.set(key, checksum);
      this.sum += checksum;
    }
    this.sum >>>= 0;
  }
}
