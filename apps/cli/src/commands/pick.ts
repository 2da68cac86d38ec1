import type { Command } from 'commander';
import { action } from '../action.js';
import { filterOf, withSelection, type FilterOptions } from '../options.js';
import { staleness } from '../output/freshness.js';
import { INSTANCE } from '../output/views.js';

interface PickOptions extends FilterOptions {
  readonly strategy?: string;
  readonly key?: string;
  readonly exclude?: string;
}

export function pick(program: Command): void {
  withSelection(program.command('pick'))
    .description('Let the server pick one healthy instance of a service.')
    .argument('<service>')
    .option('--strategy <name>', 'one of `sdctl capabilities`; the server’s own without it')
    .option('--key <key>', 'for consistent_hash')
    .option('--exclude <ids>', 'none of these: a,b')
    .option('--region <region>', 'where you are, for geographic')
    .option('--zone <zone>', 'where you are, for geographic')
    .action(
      action(async ({ api, print }, options: PickOptions, service: string) => {
        const { strategy, key, exclude } = options;
        const { data, headers } = await api.pick(service, { ...filterOf(options), strategy, key, exclude });
        print.print(data, INSTANCE, staleness(headers));
      }),
    );
}
