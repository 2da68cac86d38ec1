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

type Body = Readonly<Partial<Record<string, unknown>>>;

/** One of the spellings is there. Looked at whatever else is wrong: who sent nothing hears of all that is needed. */
export function given(name: Canonical) {
  const spellings = SPELLINGS[name];
  const isGiven = (body: Body) => spellings.some((spelling) => body[spelling] !== undefined);
  const when = ({ value }: { readonly value: unknown }) => typeof value === 'object' && value !== null;
  const path: PropertyKey[] = [name];
  return [isGiven, { path, error: `is required (${spellings.join(' or ')})`, when }] as const;
}

/** The value under whichever spelling was used. Two that disagree are an issue. */
export function spelled(body: Body, name: Canonical, context: z.RefinementCtx): string | undefined {
  let first: string | undefined;
  for (const spelling of SPELLINGS[name]) {
    if (body[spelling] === undefined) continue;
    first ??= spelling;
    if (sameValue(body[first], body[spelling])) continue;
    context.addIssue({ code: 'custom', path: [spelling], message: `says something else than ${first}` });
  }
  return first && (body[first] as string);
}
