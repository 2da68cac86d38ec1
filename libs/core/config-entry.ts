import { z } from 'zod';
import type { ConfigEntry, ConfigKey } from './config-store.js';
import { BackendError } from './errors.js';
import type { JsonObject } from './json.js';
import { LIMITS } from './limits.js';

/** The form in which versions are stored. It grows only when an older release could no longer read them. */
const ENTRY_FORMAT = 1;

const storedEntry = z.object({
  v: z.number(),
  version: z.int().min(1),
  previous: z.int().min(0),
  // Past zod, which would copy it, and leave out what is called __proto__.
  config: z
    .custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value))
    .optional(),
  actor: z.string(),
  createdAt: z.number(),
  updatedAt: z.number(),
  rolledBackTo: z.int().min(1).optional(),
});

/** The text that is stored for a version. */
export function encodeEntry(entry: ConfigEntry): string {
  return JSON.stringify({ v: ENTRY_FORMAT, ...entry });
}

/** @throws BackendError `NOT_SUPPORTED` for a newer format, `CONFLICT` for what is no version of ours. */
export function decodeEntry(key: ConfigKey, text: string): ConfigEntry {
  const stored = parsed(text);
  const { v } = Object(stored) as { v?: unknown };
  if (typeof v === 'number' && v > ENTRY_FORMAT) {
    throw new BackendError('NOT_SUPPORTED', `${key} has format ${v}; this release reads up to ${ENTRY_FORMAT}`);
  }
  const { success, data, error } = storedEntry.safeParse(stored);
  if (!success) throw new BackendError('CONFLICT', `${key} cannot be read: ${z.prettifyError(error)}`);
  const { v: _format, ...entry } = data;
  return entry;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @throws BackendError `CONFLICT` unless the newest version there is the one that the next was made from. */
export function checkPrevious(key: ConfigKey, newest: number, { previous }: ConfigEntry): void {
  if (newest !== previous) throw staleVersion(key, previous);
}

export function staleVersion(key: ConfigKey, version: number): BackendError {
  return new BackendError('CONFLICT', `${key} is not at version ${version} any more`);
}

/** Which versions are too old to be kept once this one is stored: from the first to the second, none when they cross. */
export function forgottenBy({ version, previous }: ConfigEntry): readonly [first: number, last: number] {
  const last = Math.min(previous, version - LIMITS.configVersions);
  // Versions may have gaps: nothing older was there before the previous one was stored.
  return [Math.max(1, previous - LIMITS.configVersions + 1), last];
}
