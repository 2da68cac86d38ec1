import { Ajv, type Options } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

// Imported when the first schema comes: most servers never see one. A module of its own, as what is CommonJS keeps
// its names in the bundle only where they are imported by a statement.

const OPTIONS: Options = { strict: false, allErrors: true, ownProperties: true, logger: false };

/** A new one for each schema, which keeps what it has compiled. Nothing is fetched: what a $ref names must be in the schema. */
export function createValidator(is2020: boolean): Ajv {
  const ajv = is2020 ? new Ajv2020(OPTIONS) : new Ajv(OPTIONS);
  formats.default(ajv);
  return ajv;
}
