import { z } from 'zod';
import { metadataField } from '#core';
import { metadata } from '../fields.js';

type Json = z.core.util.JSONType;

/** Clients of the older systems nest: what is no scalar is kept as JSON text. null is as good as absent. */
export const nestedMetadata = z
  .record(z.string(), z.unknown())
  .transform((given) =>
    Object.fromEntries(
      Object.entries(given).flatMap(([key, value]) =>
        value == null ? [] : [[key, typeof value === 'object' ? JSON.stringify(value) : value]],
      ),
    ),
  )
  .pipe(metadataField)
  .meta({
    ...metadata.meta(),
    description: 'scalars become strings; what is nested is kept as JSON',
    additionalProperties: true,
  });

/** As it was given, as far as that can be told: an array or an object again. */
export function withNested(kept: Readonly<Record<string, string>>): Record<string, Json> {
  return Object.fromEntries(Object.entries(kept).map(([key, text]) => [key, nestedIn(text) ?? text]));
}

function nestedIn(text: string): Json | undefined {
  if (!/^[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
