import { z } from 'zod';

/** What a variable's schema tells of it, wherever in its wrappings that is written. */
export interface FieldInfo {
  readonly description: string;
  readonly secret: boolean;
  /** As text. */
  readonly fallback?: string;
}

export function fieldInfo(field: z.core.$ZodType): FieldInfo {
  const layers = [...layersOf(field)];
  const metas = layers.map((layer) => z.globalRegistry.get(layer));
  const fallback = layers
    .map((layer) => (layer._zod.def as Wrapping).defaultValue)
    .find((value) => value !== undefined);
  return {
    description: metas.find((meta) => meta?.description !== undefined)?.description ?? '',
    secret: metas.some((meta) => meta?.secret === true),
    ...(fallback !== undefined && { fallback: asText(fallback) }),
  };
}

/** The parts of zod's definitions of wrappers and pipes that lead inwards. */
interface Wrapping {
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly out?: z.core.$ZodType;
  readonly defaultValue?: unknown;
}

function* layersOf(field: z.core.$ZodType): Generator<z.core.$ZodType> {
  yield field;
  const { innerType, in: input, out } = field._zod.def as Wrapping;
  for (const inner of [innerType, input, out]) if (inner) yield* layersOf(inner);
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
