/** What an operator reads of a probe, at most: bytes of UTF-8. */
export const MAX_OUTPUT_BYTES = 4_096;

/** The text, or its beginning where it is longer than `limit` bytes of UTF-8; never half a character. */
export function clipped(text: string, limit = MAX_OUTPUT_BYTES): string {
  const bytes = Buffer.from(text);
  return bytes.length <= limit ? text : decoded(bytes.subarray(0, limit));
}

/** UTF-8 that may end in the middle of a character, which is left out. */
export function decoded(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes, { stream: true });
}
