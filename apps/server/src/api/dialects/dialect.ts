import type { Type } from '@nestjs/common';

/** One line of the list of dialects: the API of another system, whose clients work here unchanged. */
export interface DialectModule {
  readonly name: string;
  readonly summary: string;
  /** Where all its paths begin, `/v1/discovery` say. */
  readonly root: string;
  /** Of Nest. They are given the same use cases as our own API. */
  readonly controllers: readonly Type[];
}

/** Those that this server has been told to serve. */
export function served(known: readonly DialectModule[], names: readonly string[]): readonly DialectModule[] {
  return known.filter(({ name }) => names.includes(name));
}
