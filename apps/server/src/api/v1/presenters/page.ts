import { badRequest } from '../../../http/problem.js';

export interface PageRequest {
  readonly limit?: number;
  readonly cursor?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Undefined when the list was not asked for in pages. */
  readonly page?: { readonly next_cursor: string | null };
}

/**
 * A page of a sorted list. A cursor names the last item of the page before, so that what comes and
 * goes between two pages neither repeats nor hides the others.
 */
export function paginate<T>(
  sorted: readonly T[],
  nameOf: (item: T) => string,
  { limit, cursor }: PageRequest,
): Page<T> {
  if (limit === undefined && cursor === undefined) return { items: sorted };
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  const rest = after === undefined ? sorted : sorted.filter((item) => nameOf(item) > after);
  const items = rest.slice(0, limit ?? rest.length);
  const last = items.length < rest.length ? items.at(-1) : undefined;
  return { items, page: { next_cursor: last === undefined ? null : encodeCursor(nameOf(last)) } };
}

/** The cursor of a page that ends with the item of this name. */
export function encodeCursor(name: string): string {
  return Buffer.from(`after:${name}`).toString('base64url');
}

/** @throws Problem 400 */
export function decodeCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString();
  if (!text.startsWith('after:') || encodeCursor(text.slice('after:'.length)) !== cursor) {
    throw badRequest('the cursor is not one of ours', [
      { path: 'cursor', message: 'must be a next_cursor as it was given' },
    ]);
  }
  return text.slice('after:'.length);
}

/** The name of an item in a list that begins with the highest number. */
export function descending(number: number): string {
  return String(Number.MAX_SAFE_INTEGER - number).padStart(16, '0');
}
