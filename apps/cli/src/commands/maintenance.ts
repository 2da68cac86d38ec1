import { Argument, type Command } from 'commander';
import { action } from '../action.js';
import { INSTANCE } from '../output/views.js';

interface MaintenanceOptions {
  readonly reason?: string;
}

export function maintenance(program: Command): void {
  program
    .command('maintenance')
    .description('Take an instance out of rotation, or put it back.')
    .addArgument(new Argument('<on|off>').choices(['on', 'off']))
    .argument('<service>')
    .argument('<id>')
    .option('--reason <text>', 'why it is out')
    .action(
      action(
        async ({ api, print }, { reason }: MaintenanceOptions, state: 'on' | 'off', service: string, id: string) => {
          const { data } = await api.maintain(service, id, state === 'on', reason);
          print.print(data, INSTANCE);
        },
      ),
    );
}
