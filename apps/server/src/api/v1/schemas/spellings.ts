import { type z } from 'zod';
import { sameValue } from '#core';

/** The spellings that the field uses for one thing; the first is ours. */
export const SPELLINGS = {
  service_name: ['service_name', 'name'],
  service_id: ['service_id', 'id', 'instance_id'],
  address: ['address', 'host'],
} as const;

type Canonical = keyof typeof SPELLINGS;

/** The JSON Schema way to say that one of the spellings must be there. */
export function oneOfSpellings(...required: Canonical[]): { allOf: object[] } {
  const given = (spelling: string) => ({ required: [spelling], properties: { [spelling]: { type: 'string' } } });
  return { allOf: required.map((name) => ({ anyOf: SPELLINGS[name].map(given) })) };
}

/** The value under whichever spelling was used. Two that disagree, or none where one must be, are issues. */
export function spelled(
  body: Readonly<Partial<Record<string, unknown>>>,
  name: Canonical,
  required: boolean,
  context: z.RefinementCtx,
): string | undefined {
  const spellings = SPELLINGS[name];
  const used = spellings.filter((spelling) => body[spelling] !== undefined);
  const [first, ...others] = used;
  if (!first) {
    if (required)
      context.addIssue({ code: 'custom', path: [name], message: `is required (${spellings.join(' or ')})` });
    return undefined;
  }
  for (const other of others) {
    if (sameValue(body[first], body[other])) continue;
    context.addIssue({ code: 'custom', path: [other], message: `says something else than ${first}` });
  }
  return body[first] as string;
}
