import type { Command } from 'commander';
import { action } from '../action.js';
import { staleness } from '../output/freshness.js';
import { HEALTH } from '../output/views.js';

interface HealthOptions {
  readonly of?: string;
  readonly now?: boolean;
}

export function health(program: Command): void {
  program
    .command('health')
    .description('Show how the instances of a service are, or one instance by its id, and what their checks say.')
    .argument('<service-or-id>')
    .option('--of <service>', 'it is the id of an instance of this service')
    .option('--now', 'check now, then show')
    .action(
      action(async ({ api, print }, { of: service, now }: HealthOptions, nameOrId: string) => {
        if (now) await api.checkNow(nameOrId, { service });
        const { data, headers } = await api.health(nameOrId, { service });
        print.print(data, HEALTH, staleness(headers));
      }),
    );
}
