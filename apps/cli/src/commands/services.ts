import type { Command } from 'commander';
import { action } from '../action.js';
import { filterOf, withFilters, type FilterOptions } from '../options.js';
import { SERVICES } from '../output/views.js';
import { staleness } from '../output/freshness.js';

export function services(program: Command): void {
  withFilters(program.command('services').alias('ls'))
    .description('List services: how they are, and how many of their instances are healthy.')
    .action(
      action(async ({ api, print }, options: FilterOptions) => {
        const { data, headers } = await api.services(filterOf(options));
        print.print(data, SERVICES, staleness(headers));
      }),
    );
}
