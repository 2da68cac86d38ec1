import type { Command } from 'commander';
import { action } from '../action.js';
import { HEALTH } from '../output/views.js';
import { show, withWatch, type WatchOptions } from '../show.js';

interface HealthOptions extends WatchOptions {
  readonly of?: string;
  readonly now?: boolean;
}

export function health(program: Command): void {
  withWatch(program.command('health'))
    .description('Show how the instances of a service are, or one instance by its id, and what their checks say.')
    .argument('<service-or-id>')
    .option('--of <service>', 'it is the id of an instance of this service')
    .option('--now', 'check now, then show')
    .action(
      action(async (context, options: HealthOptions, nameOrId: string) => {
        const { api } = context;
        const query = { service: options.of };
        if (options.now) await api.checkNow(nameOrId, query);
        await show(
          context,
          options,
          ({ service_name: service }) => ({ service, filter: {} }),
          () => api.health(nameOrId, query),
          HEALTH,
        );
      }),
    );
}
