import type { InputIssue } from '#core';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NUMBER = /-?\d[\d.eE+-]*/y;

/** An object or an array that is being read. */
interface Open {
  /** Of an object: the keys that it has. */
  readonly keys?: Set<string>;
  /** Where it is at the moment: a key of the object, an index of the array. */
  at: string | number;
}

/**
 * What JSON.parse makes something else of without a word: a key that comes twice, a number that no double holds.
 *
 * @param text JSON that has been parsed.
 * @returns Where, and what of it; the first.
 */
export function lossIn(text: string): InputIssue | undefined {
  const open: Open[] = [];
  for (let i = 0; i < text.length; i++) {
    const top = open.at(-1);
    const character = text[i]!;
    if (character === '{') open.push({ keys: new Set(), at: '' });
    else if (character === '[') open.push({ at: 0 });
    else if (character === '}' || character === ']') open.pop();
    else if (character === ',' && typeof top?.at === 'number') top.at++;
    else if (character === '"') {
      const end = endOfString(text, i);
      if (top?.keys && isKey(text, end)) {
        top.at = JSON.parse(text.slice(i, end)) as string;
        if (top.keys.has(top.at)) return { path: pathOf(open), message: 'must not be there twice' };
        top.keys.add(top.at);
      }
      i = end - 1;
    } else if (character === '-' || (character >= '0' && character <= '9')) {
      NUMBER.lastIndex = i;
      const [number] = NUMBER.exec(text)!;
      if (!isHeld(number)) return { path: pathOf(open), message: 'must be a number that a double holds, or a string' };
      i += number.length - 1;
    }
  }
  return undefined;
}

/** @returns The place after the closing quote. */
function endOfString(text: string, begin: number): number {
  for (let i = begin + 1; ; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) return i + 1;
    if (code === BACKSLASH) i++;
  }
}

function isKey(text: string, after: number): boolean {
  let i = after;
  while (/\s/.test(text[i]!)) i++;
  return text[i] === ':';
}

/** Fractions are rounded everywhere; whole numbers are counted with. */
function isHeld(number: string): boolean {
  const value = Number(number);
  return Number.isFinite(value) && (/[.eE]/.test(number) || Number.isSafeInteger(value));
}

function pathOf(open: readonly Open[]): string {
  return open.map(({ at }) => at).join('.');
}
