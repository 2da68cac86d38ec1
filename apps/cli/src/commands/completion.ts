import { Argument, type Command } from 'commander';
import { scriptFor, SHELLS, type Shell } from '../completion/scripts.js';

export function completion(program: Command): void {
  program
    .command('completion')
    .description('Print what makes a shell complete commands, options and services: source <(sdctl completion bash)')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) => {
      process.stdout.write(scriptFor(shell, program));
    });
}
