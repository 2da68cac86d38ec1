import { Option, type Command } from 'commander';
import { action } from '../action.js';
import { checkOf, milliseconds, withInstance, type InstanceOptions } from '../options.js';
import { ownAddressTowards } from '../own-address.js';
import { sparing } from '../sparing.js';
import { supervise } from '../supervise.js';

interface RunOptions extends InstanceOptions {
  readonly name: string;
  readonly ttl: number;
  readonly drain: number;
}

export function run(program: Command): void {
  withInstance(program.command('run'))
    .description('Run a command, registered for as long as it lives: sdctl run --name api --port 8080 -- node app.js')
    .argument('<command...>', 'after --')
    .requiredOption('-n, --name <service>', 'what it is an instance of')
    .addOption(lasting('--ttl <duration>', 'it is gone without a heartbeat for so long', 30_000, '30s'))
    .addOption(lasting('--drain <duration>', 'from leaving rotation to passing on SIGTERM or SIGINT', 5_000, '5s'))
    .action(
      action(async ({ client, print, connection }, options: RunOptions, command: readonly string[]) => {
        const { name, ttl, drain, id, host, port, protocol, path, tag: tags, metadata, weight, region, zone } = options;
        const request = {
          ...{ service: name, id, port, protocol, path, tags, metadata, weight, region, zone },
          host: host ?? (await ownAddressTowards(connection.servers[0]!)),
          ttl: ttl / 1_000,
          healthCheck: checkOf(options),
        };
        const say = (text: string) => print.say(`sdctl: ${text}`);
        process.exitCode = await supervise(command, {
          client: client({ onError: sparing(say) }),
          ...{ request, drainMs: drain, say },
        });
      }),
    );
}

function lasting(flags: string, description: string, ms: number, shown: string): Option {
  return new Option(flags, description).argParser(milliseconds).default(ms, shown);
}
