import type { Command } from 'commander';
import type { Context, GlobalOptions } from './context.js';

/**
 * An action for commander. What talks to a server is loaded when there is something to do: help has no need of it.
 * @param work Is given what was made of the command line: its arguments after the options.
 */
export function action<Options, Args extends readonly unknown[]>(
  work: (context: Context, options: Options, ...args: Args) => Promise<void>,
): (...given: [...Args, Options, Command]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command;
    const options: Options & GlobalOptions = command.optsWithGlobals();
    const { createContext } = await import('./context.js');
    await work(createContext(options), options, ...(given.slice(0, -2) as unknown as Args));
  };
}
