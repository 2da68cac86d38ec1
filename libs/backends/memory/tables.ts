import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

// LevelDB's tables, as doc/table_format.md of its sources has them: blocks one after the other, each
// with a checksum behind it; the last is an index of the first ones; a footer says where it begins.
const FOOTER = 48;
const MAGIC = 0xdb4775248b80fb57n;
/** Behind each block: its compression, and the checksum over both. */
const TRAILER = 5;

interface Block {
  readonly offset: number;
  readonly size: number;
}

/**
 * Compares the tables in a folder of LevelDB, which must be uncompressed, with their checksums. LevelDB
 * does not, and merging a damaged one can abort the whole process by an assertion.
 *
 * @returns The name of a damaged table.
 */
export async function damagedTable(folder: string): Promise<string | undefined> {
  const names = await unlessGone(readdir(folder));
  for (const name of names ?? []) {
    if (!name.endsWith('.ldb')) continue;
    const table = await unlessGone(readFile(join(folder, name)));
    if (table && isDamaged(table)) return name;
  }
  return undefined;
}

/** There was no registry yet, or another process uses it, which will be found out. */
async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isDamaged(table: Buffer): boolean {
  const end = table.length - FOOTER;
  // Without a footer it was never finished, and is in no use; or LevelDB says by itself that it is none.
  if (end < 0 || table.readBigUInt64LE(table.length - 8) !== MAGIC) return false;
  try {
    return !isWhole(table, end);
  } catch (error) {
    if (error instanceof RangeError) return true;
    throw error;
  }
}

function isWhole(table: Buffer, end: number): boolean {
  const footer = new Cursor(table, end);
  const metaindex = footer.block();
  const index = footer.block();
  if (!matches(table, index)) return false;
  let at = 0;
  for (const block of dataBlocks(table, index)) {
    if (block.offset !== at || !matches(table, block)) return false;
    at += block.size + TRAILER;
  }
  // What lies between is the filter.
  const filter = { offset: at, size: metaindex.offset - at - TRAILER };
  return (
    (metaindex.offset === at || matches(table, filter)) &&
    matches(table, metaindex) &&
    index.offset === metaindex.offset + metaindex.size + TRAILER &&
    end === index.offset + index.size + TRAILER
  );
}

function* dataBlocks(table: Buffer, { offset, size }: Block): Generator<Block> {
  const restarts = table.readUInt32LE(offset + size - 4);
  const end = offset + size - 4 * (restarts + 1);
  const cursor = new Cursor(table, offset);
  while (cursor.at < end) {
    cursor.varint(); // An index shares no keys.
    const keyLength = cursor.varint();
    cursor.varint();
    cursor.at += keyLength;
    yield cursor.block();
  }
}

function matches(table: Buffer, { offset, size }: Block): boolean {
  const type = offset + size;
  const stored = (table.readUInt32LE(type + 1) - 0xa282ead8) >>> 0;
  const unmasked = ((stored >>> 17) | (stored << 15)) >>> 0;
  return size >= 0 && table[type] === 0 && crc32c(table, offset, type + 1) === unmasked;
}

/** Reads what lies in a table one after the other; a RangeError beyond its end. */
class Cursor {
  constructor(
    private readonly table: Buffer,
    public at: number,
  ) {}

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.table.readUInt8(this.at++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  block(): Block {
    return { offset: this.varint(), size: this.varint() };
  }
}

// Castagnoli's polynomial, as RFC 3720 section 12.1 has it; node:zlib knows another one only.
const CRC32C = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

function crc32c(bytes: Buffer, from: number, to: number): number {
  let crc = 0xffffffff;
  for (let at = from; at < to; at++) crc = CRC32C[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
