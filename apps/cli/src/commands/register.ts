import type { Command } from 'commander';
import { action } from '../action.js';
import { checkOf, withInstance, type InstanceOptions } from '../options.js';
import { INSTANCE } from '../output/views.js';
import { ownAddressTowards } from '../own-address.js';

interface RegisterOptions extends InstanceOptions {
  readonly ttl?: string;
}

export function register(program: Command): void {
  withInstance(program.command('register'))
    .description('Register an instance once. `sdctl run` registers a process for as long as it lives.')
    .argument('<service>')
    .option('--ttl <duration>', 'it is gone without a heartbeat for so long')
    .action(
      action(async ({ api, print, connection }, options: RegisterOptions, service: string) => {
        const { id, host, port, protocol, path, tag: tags, metadata, weight, region, zone, ttl } = options;
        const { data } = await api.register({
          service_name: service,
          service_id: id,
          address: host ?? (await ownAddressTowards(connection.servers[0]!)),
          ...{ port, protocol, path, tags, metadata, weight, region, zone, ttl },
          health_check: checkOf(options),
        });
        print.print(data, INSTANCE);
        if (data.ttl !== null) print.say(`Without a heartbeat it is gone in ${data.ttl} s.`);
      }),
    );
}
