import type { Command } from 'commander';
import { action } from '../action.js';
import { filterOf, withFilters, type FilterOptions } from '../options.js';
import { SERVICES } from '../output/views.js';
import { show, withWatch, type WatchOptions } from '../show.js';

export function services(program: Command): void {
  withWatch(withFilters(program.command('services').alias('ls')))
    .description('List services: how they are, and how many of their instances are healthy.')
    .action(
      action(async (context, options: FilterOptions & WatchOptions) => {
        const filter = filterOf(options);
        await show(
          context,
          options,
          () => ({ filter }),
          () => context.api.services(filter),
          SERVICES,
        );
      }),
    );
}
