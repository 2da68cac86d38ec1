import type { Command } from 'commander';

/** What may be written after a command, as the program's own tree has it. */
export interface Words {
  /** `config get`; empty for the program. */
  readonly command: string;
  /** Commands below it, or the values that an argument may have. */
  readonly words: readonly string[];
  readonly options: readonly string[];
  readonly takesService: boolean;
}

/** Of the program and all of its commands, each before those below it. */
export function wordsOf(command: Command, path: readonly string[] = [], inherited: readonly string[] = []): Words[] {
  const { registeredArguments: args, commands } = command;
  const options = [...command.options.flatMap(({ long }) => long ?? []), ...inherited];
  return [
    {
      command: path.join(' '),
      words: [...commands.map((each) => each.name()), ...args.flatMap(({ argChoices = [] }) => argChoices)],
      options: [...options, '--help'],
      takesService: args.some((argument) => argument.name().startsWith('service')),
    },
    ...commands.flatMap((each) => wordsOf(each, [...path, each.name()], options)),
  ];
}

/** Options of the whole program that take one of a few values. */
export function choicesOf(
  program: Command,
): { readonly flags: readonly string[]; readonly values: readonly string[] }[] {
  return program.options.flatMap(({ short, long, argChoices: values }) =>
    values ? [{ flags: [short, long].filter((flag) => flag !== undefined), values }] : [],
  );
}
