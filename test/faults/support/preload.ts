import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Environment } from '../../support/process.js';

/** Has a server begin with a module of this folder. */
export function preload(name: 'jump.mjs' | 'collect.mjs'): Environment {
  return { NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, name)).href}` };
}
