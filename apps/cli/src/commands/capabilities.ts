import type { Command } from 'commander';
import type { Capabilities } from '../api/wire.js';
import { action } from '../action.js';
import type { View } from '../output/printer.js';

interface Row {
  readonly what: string;
  readonly is: string;
  readonly about?: string;
}

const CAPABILITIES: View<Capabilities, Row> = {
  rows: ({ backend: { type, notes, ...can }, default_strategy: usual, ...loaded }) => [
    { what: 'backend', is: type, about: notes.join(' ') },
    ...Object.entries(can).map(([what, is]) => ({ what: what.replaceAll('_', ' '), is: shown(is) })),
    ...loaded.strategies.map(({ name, summary }) => ({
      what: 'strategy',
      is: name === usual ? `${name}, default` : name,
      about: summary,
    })),
    ...listed('probe', loaded.probes),
    ...listed('authentication', loaded.authentication_schemes),
    ...listed('dialect', loaded.dialects),
  ],
  name: ({ what, is }) => `${what} ${is}`,
  columns: [
    { header: 'WHAT', value: ({ what }) => what },
    { header: 'IS', value: ({ is }) => is },
    { header: 'ABOUT', value: ({ about = '' }) => about },
  ],
};

export function capabilities(program: Command): void {
  program
    .command('capabilities')
    .description('Show which registry is behind the server, what it can do, and what is loaded.')
    .action(action(async ({ api, print }) => print.print((await api.capabilities()).data, CAPABILITIES)));
}

function listed(what: string, named: readonly { readonly name: string; readonly summary: string }[]): Row[] {
  return named.map(({ name, summary }) => ({ what, is: name, about: summary }));
}

function shown(is: string | boolean | readonly string[]): string {
  return typeof is === 'boolean' ? (is ? 'yes' : 'no') : String(is);
}
