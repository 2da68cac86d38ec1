import type { Command } from 'commander';
import { action } from '../action.js';

export function deregister(program: Command): void {
  program
    .command('deregister')
    .description('Take an instance out.')
    .argument('<service>')
    .argument('<id>')
    .action(
      action(async ({ api, print }, _options: object, service: string, id: string) => {
        await api.deregister(service, id);
        print.done(`${service} ${id} is deregistered`, id);
      }),
    );
}
