/** A name that a certificate is for, by its kind: `URI`, `DNS`, `email`. */
export type CertificateName = readonly [kind: string, name: string];

/** In which order they count. A common name does not: nothing says what it means. */
const KINDS = ['uri', 'dns', 'email'];
/** It is logged and stored. */
const IDENTITY = /^[\x21-\x7e]{1,255}$/;

/** Whom a certificate stands for; undefined: for nobody who could be called something. */
export function identityIn(names: readonly CertificateName[]): string | undefined {
  const found = KINDS.map((kind) => names.find(([each]) => each.toLowerCase() === kind)?.[1]);
  const identity = found.find((name) => name !== undefined);
  return identity !== undefined && IDENTITY.test(identity) ? identity : undefined;
}

/** The parts of a text between separators, but for those inside quotes; undefined when a quote has no end. */
export function partsOf(text: string, separator: string): readonly string[] | undefined {
  const parts: string[] = [];
  let [begin, quoted] = [0, false];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') quoted = !quoted;
    else if (quoted && text[i] === '\\') i++;
    else if (!quoted && text[i] === separator) {
      parts.push(text.slice(begin, i).trim());
      begin = i + 1;
    }
  }
  return quoted ? undefined : [...parts, text.slice(begin).trim()];
}

/** @param part `kind` and name with this sign between them; a name in quotes is without them afterwards. */
export function nameIn(part: string, sign: string): CertificateName {
  const at = part.indexOf(sign);
  const name = part.slice(at + 1);
  return [part.slice(0, Math.max(at, 0)), name.startsWith('"') ? name.slice(1, -1).replace(/\\(.)/g, '$1') : name];
}
