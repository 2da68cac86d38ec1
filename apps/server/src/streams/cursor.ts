import type { Frame } from './frame.js';

/** Knows where one reader stands, so that nothing has to be kept for it. */
export interface Cursor {
  /** What comes next, a bounded amount at a time; undefined when that is all for now. */
  next(): readonly Frame[] | undefined;
  /** Where the reader stands once it has all; undefined while it has not. */
  readonly id: string | undefined;
  /** Nobody reads any more. */
  close(): void;
}

/** Makes the cursor of a new reader. Calls back when there is something new, but not before it has returned. */
export type OpenCursor = (news: () => void) => Cursor;
