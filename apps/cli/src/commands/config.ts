import { readFileSync } from 'node:fs';
import { text as textOf } from 'node:stream/consumers';
import { Argument, type Command } from 'commander';
import { action } from '../action.js';
import { CommandError } from '../errors.js';
import { wholeNumber } from '../options.js';
import { DOCUMENT, HISTORY, RESOLVED, WRITTEN } from '../output/config-views.js';
import { staleness } from '../output/freshness.js';

const STDIN = '-';

interface DocumentOptions {
  readonly environment?: string;
}

interface GetOptions extends DocumentOptions {
  readonly resolved?: boolean;
}

interface WriteOptions extends DocumentOptions {
  readonly ifMatch?: number;
}

interface SetOptions extends WriteOptions {
  readonly file: string;
}

export function config(program: Command): void {
  const parent = program
    .command('config')
    .description('Read and change the configuration of a service; the service * is what all of them share.');
  get(parent);
  set(parent);
  history(parent);
  rollback(parent);
}

function get(parent: Command): void {
  document(parent, 'get')
    .description('Show the document, or what the service sees of it and of the layers that all share.')
    .addArgument(new Argument('[version]', 'this one in place of the newest').argParser(wholeNumber))
    .option('--resolved', 'over the layers, with where each value is from')
    .action(
      action(async ({ api, print }, { environment, resolved }: GetOptions, service: string, version?: number) => {
        const { data, headers } = await api.config(service, { environment, version, resolved });
        const note = staleness(headers);
        if ('sources' in data) print.print(data, RESOLVED, note);
        else print.print(data, DOCUMENT, note);
      }),
    );
}

function set(parent: Command): void {
  conditional(document(parent, 'set'))
    .description('Put a document, whole, in place of the one before.')
    .requiredOption('-f, --file <path>', 'a JSON object; - is standard input')
    .action(
      action(async ({ api, print }, { environment, file, ifMatch }: SetOptions, service: string) => {
        const { data } = await api.putConfig(service, await contentOf(file), { environment }, ifMatch);
        print.print(data, WRITTEN);
      }),
    );
}

function history(parent: Command): void {
  document(parent, 'history')
    .description('List the versions that are kept, newest first.')
    .action(
      action(async ({ api, print }, { environment }: DocumentOptions, service: string) => {
        const { data, headers } = await api.configHistory(service, { environment });
        print.print(data, HISTORY, staleness(headers));
      }),
    );
}

function rollback(parent: Command): void {
  conditional(document(parent, 'rollback'))
    .description('Bring back what an earlier version said, as a new one.')
    .addArgument(new Argument('<version>').argParser(wholeNumber))
    .action(
      action(async ({ api, print }, { environment, ifMatch }: WriteOptions, service: string, version: number) => {
        const { data } = await api.rollBackConfig(service, version, { environment }, ifMatch);
        print.print(data, WRITTEN);
      }),
    );
}

function document(parent: Command, name: string): Command {
  return parent.command(name).argument('<service>').option('-e, --environment <name>', 'production without it');
}

function conditional(command: Command): Command {
  return command.option('--if-match <version>', 'only if this is the newest; 0: only if there is none', wholeNumber);
}

/** @throws CommandError */
async function contentOf(file: string): Promise<string> {
  if (file === STDIN) return textOf(process.stdin);
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
}
