/**
 * MurmurHash3 (x86, 32 bits; Austin Appleby, public domain) of a text, each of its UTF-16 code units a
 * block of four bytes. https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
 *
 * Here rather than from a package: the fast ones load WebAssembly asynchronously, and a module that awaits
 * that cannot be required by users of the client library who are on CommonJS.
 */
export function murmur3(text: string, seed = 0): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) {
    let block = Math.imul(text.charCodeAt(i), 0xcc9e2d51);
    block = Math.imul((block << 15) | (block >>> 17), 0x1b873593);
    hash ^= block;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  return finalize(hash ^ (text.length * 4));
}

/** Its last step by itself: every bit of the input changes every bit of the output half of the time. */
export function finalize(input: number): number {
  let hash = input ^ (input >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
