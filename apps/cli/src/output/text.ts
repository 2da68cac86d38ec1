import stringWidth from 'string-width';

/**
 * Control characters, the other line ends of Unicode and what turns the direction of text: none of them may reach a
 * terminal, where a service's name or metadata could move the cursor or look like another one.
 */
const UNFIT = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const ELLIPSIS = '…';

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The text with what is not to be shown as escapes. Line feeds stay. */
export function visible(text: string): string {
  return text.replace(UNFIT, (each) => (each === '\n' ? each : escaped(each)));
}

/** The same in one line. */
export function oneLine(text: string): string {
  return text.replace(UNFIT, escaped);
}

/** JSON escapes the control characters of ASCII alone. Within strings of JSON and YAML, this reads the same. */
export function escapeControls(text: string): string {
  return text.replace(/[\x7f-\x9f\u2028\u2029]/g, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** In columns of a terminal. */
export const widthOf = (text: string): number => stringWidth(text);

/** At most so wide, with what is missing shown. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let left = width - widthOf(ELLIPSIS);
  for (const { segment } of graphemes.segment(text)) {
    left -= widthOf(segment);
    if (left < 0) break;
    kept += segment;
  }
  return kept + ELLIPSIS;
}

export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}
