import type { Command } from 'commander';
import { createContext, type Context, type GlobalOptions } from './context.js';

/**
 * An action for commander.
 * @param work Is given what was made of the command line: its arguments after the options.
 */
export function action<Options, Args extends readonly unknown[]>(
  work: (context: Context, options: Options, ...args: Args) => Promise<void>,
): (...given: [...Args, Options, Command]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command;
    const options: Options & GlobalOptions = command.optsWithGlobals();
    await work(createContext(options), options, ...(given.slice(0, -2) as unknown as Args));
  };
}
