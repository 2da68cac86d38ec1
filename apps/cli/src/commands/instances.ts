import type { Command } from 'commander';
import { action } from '../action.js';
import { filterOf, withFilters, type FilterOptions } from '../options.js';
import { staleness } from '../output/freshness.js';
import { ALL_INSTANCES, INSTANCES } from '../output/views.js';

export function instances(program: Command): void {
  withFilters(program.command('instances'))
    .description('List the instances of a service, or of all services.')
    .argument('[service]')
    .action(
      action(async ({ api, print }, options: FilterOptions, service?: string) => {
        if (service !== undefined) {
          const { data, headers } = await api.instances(service, filterOf(options));
          print.print(data, INSTANCES, staleness(headers));
          return;
        }
        const { data, headers } = await api.services({ ...filterOf(options), include: 'instances' });
        const all = data.flatMap(({ instances = [] }) => instances);
        print.print(all, ALL_INSTANCES, staleness(headers));
      }),
    );
}
