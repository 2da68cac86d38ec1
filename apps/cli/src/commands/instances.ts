import type { Command } from 'commander';
import { action } from '../action.js';
import { filterOf, withFilters, type FilterOptions } from '../options.js';
import { ALL_INSTANCES, INSTANCES } from '../output/views.js';
import { show, withWatch, type WatchOptions } from '../show.js';

export function instances(program: Command): void {
  withWatch(withFilters(program.command('instances')))
    .description('List the instances of a service, or of all services.')
    .argument('[service]')
    .action(
      action(async (context, options: FilterOptions & WatchOptions, service?: string) => {
        const { api } = context;
        const filter = filterOf(options);
        if (service !== undefined) {
          await show(
            context,
            options,
            () => ({ service, filter }),
            () => api.instances(service, filter),
            INSTANCES,
          );
          return;
        }
        const all = async () => {
          const { data, headers } = await api.services({ ...filter, include: 'instances' });
          return { data: data.flatMap(({ instances = [] }) => instances), headers };
        };
        await show(context, options, () => ({ filter }), all, ALL_INSTANCES);
      }),
    );
}
