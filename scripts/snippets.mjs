import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Every document whose code is checked. */
export function documents() {
  const inDocs = readdirSync('docs').filter((name) => name.endsWith('.md'));
  return ['README.md', 'CONTRIBUTING.md', ...inDocs.map((name) => join('docs', name))];
}

const FENCE = /^```ts(?: file=(\S+))?\n([\s\S]*?)^```$/gm;

/** The TypeScript fences of a document, each with the name that it gives or one of its own. */
export function snippetsOf(markdown) {
  return [...markdown.matchAll(FENCE)].map(([, name, code], i) => ({ name: name ?? `snippet-${i}.ts`, code }));
}
