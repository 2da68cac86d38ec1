/** One set of limits on every backend. A backend that is narrower still says so itself. */
export const LIMITS = {
  idLength: 255,
  pathLength: 1_024,
  tags: 60,
  tagLength: 100,
  metadataKeys: 60,
  metadataKeyLength: 128,
  metadataValueBytes: 512,
  maxWeight: 65_535,
  minTtlMs: 5_000,
  minIntervalMs: 1_000,
  minTimeoutMs: 1,
  reasonLength: 512,
  batch: 1_000,
  /** Of a document of configuration, as JSON without white space. */
  configBytes: 256 * 1_024,
  /** Of a JSON Schema of configuration: checking with a larger one takes too long. */
  configSchemaBytes: 64 * 1_024,
  /** So many of each document are kept, the newest included. */
  configVersions: 100,
} as const;
