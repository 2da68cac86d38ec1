import { Command, Option } from 'commander';
import { capabilities } from './commands/capabilities.js';
import { completion } from './commands/completion.js';
import { config } from './commands/config.js';
import { deregister } from './commands/deregister.js';
import { doctor } from './commands/doctor.js';
import { health } from './commands/health.js';
import { instances } from './commands/instances.js';
import { maintenance } from './commands/maintenance.js';
import { pick } from './commands/pick.js';
import { register } from './commands/register.js';
import { run } from './commands/run.js';
import { services } from './commands/services.js';
import { timeline } from './commands/timeline.js';
import { watch } from './commands/watch.js';
import { collected, milliseconds } from './options.js';
import { FORMATS } from './output/formats.js';

/** Told when it is built. */
declare const SDCTL_VERSION: string;

/** One list, in the order of `sdctl --help`. */
const COMMANDS = [
  ...[services, instances, pick, health, timeline, watch],
  ...[register, deregister, run, maintenance],
  ...[config, capabilities, doctor, completion],
];

export function createProgram(): Command {
  const program = new Command('sdctl')
    .description('Ask and change a service-discovery server.')
    .version(SDCTL_VERSION, '-V, --version')
    .option('-s, --server <url>', 'server to ask, in place of those of the profile; repeatable', collected)
    .option('--profile <name>', 'profile of ~/.config/sdctl/config.yaml (SDCTL_PROFILE)')
    .addOption(
      new Option('--timeout <duration>', 'for a server to answer one request')
        .argParser(milliseconds)
        .default(5_000, '5s'),
    )
    .addOption(new Option('-o, --output <format>', 'how to show results').choices(FORMATS).default('table'))
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: 30, subcommandTerm: (command) => command.name() })
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'sdctl: ')) })
    .addHelpText(
      'after',
      '\nServers and credential come from the profile, else from SERVICE_DISCOVERY_URL and SERVICE_DISCOVERY_TOKEN.',
    );
  for (const add of COMMANDS) add(program);
  return program;
}
