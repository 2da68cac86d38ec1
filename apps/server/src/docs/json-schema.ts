import type { OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';

type Json = Record<string, unknown>;
type Components = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;
type SchemaObject = Exclude<Components[string], { $ref: string }>;

/** A schema of ours as OpenAPI 3.1 has it, in the JSON Schema of 2020-12; the schemas that it names beside it. */
export function toJsonSchema(schema: unknown, { schemaType }: { schemaType: 'input' | 'output' }) {
  if (!(schema instanceof z.core.$ZodType)) return undefined;
  const made = z.toJSONSchema(schema, {
    io: schemaType,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => tidy(jsonSchema),
  });
  const { $schema: _, $defs: components = {}, ...rest } = made;
  for (const component of Object.values(components)) delete component.id;
  return { schema: rest as SchemaObject, components: components as Record<string, SchemaObject> };
}

/** Without what zod adds and no reader wants: the bounds of a double, and the regular expression of a format. */
function tidy(schema: Json): void {
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.format === 'date-time') delete schema.pattern;
}
