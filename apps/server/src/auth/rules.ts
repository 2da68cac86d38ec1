import { z } from 'zod';
import { ROLES, type Logger } from '#core';
import { glob } from './glob.js';
import type { Grant } from './grants.js';
import { jsonIn, WatchedFiles } from './watched-files.js';

const patterns = z.array(z.string().min(1)).min(1);

const rulesFile = z.strictObject({
  rules: z.array(
    z.strictObject({
      /** For people. */
      comment: z.string().optional(),
      /** `scheme:identity`. */
      callers: patterns,
      role: z.enum(ROLES),
      services: z.array(z.string().min(1).toLowerCase()).min(1),
      tags: z.array(z.string().min(1)).optional(),
      instances: patterns.optional(),
    }),
  ),
});

/** Stands for the identity of whoever asks: of a name with slashes in it, as SPIFFE's are, the last part. */
const OWN = '{caller}';

/** What a caller is given, by its name and its identity. */
export type Rules = (name: string, identity: string) => readonly Grant[];

export const NO_RULES: Rules = () => [];

/** @throws Error that names the file and what is wrong with it. */
export function openRules(path: string, changed: () => void, logger: Logger): Promise<WatchedFiles<Rules>> {
  return WatchedFiles.open({ paths: [path], parse: ([text]) => readRules(text!), changed, logger });
}

/** @throws Error */
export function readRules(text: string): Rules {
  const parsed = rulesFile.safeParse(jsonIn(text));
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  const rules = parsed.data.rules.map(({ callers, comment: _comment, ...grant }) => ({
    grant,
    isFor: callers.map(glob),
  }));
  return (name, identity) => {
    const own = identity.slice(identity.lastIndexOf('/') + 1);
    return rules.filter(({ isFor }) => isFor.some((fits) => fits(name))).flatMap(({ grant }) => ofCaller(grant, own));
  };
}

/** Nobody gets more by the name that they have: one that is a pattern itself stands for no instance. */
function ofCaller(grant: Grant, own: string): Grant[] {
  if (!grant.instances?.some((pattern) => pattern.includes(OWN))) return [grant];
  const literal = own !== '' && !own.includes('*');
  const instances = grant.instances
    .filter((pattern) => literal || !pattern.includes(OWN))
    .map((pattern) => pattern.replaceAll(OWN, () => own));
  return [{ ...grant, instances }];
}
