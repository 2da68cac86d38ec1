import type { Command } from 'commander';
import { choicesOf, wordsOf, type Words } from './words.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const SERVICES = 'sdctl services --output name 2>/dev/null';
/** Bash evaluates the words that it completes from: a name from the registry that is no plain word is not offered. */
const PLAIN = "grep -E '^[A-Za-z0-9._-]+$'";

export function scriptFor(shell: Shell, program: Command): string {
  switch (shell) {
    case 'bash':
      return `${candidates(program)}
_sdctl() {
  local word=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=($(compgen -W "$(_sdctl_candidates "$word" "\${COMP_WORDS[@]:1:COMP_CWORD-1}")" -- "$word"))
}
complete -o default -F _sdctl sdctl
`;
    case 'zsh':
      return `${candidates(program)}
_sdctl() {
  compadd -- \${(f)"$(_sdctl_candidates "\${words[CURRENT]}" "\${(@)words[2,CURRENT-1]}")"} || _files
}
compdef _sdctl sdctl
`;
    case 'fish':
      return `${fish(program).join('\n')}\n`;
  }
}

/** For bash and zsh: prints what may come, given the word that is being written and those before it. */
function candidates(program: Command): string {
  const all = wordsOf(program);
  const commands = all.map(({ command }) => command).filter(Boolean);
  return `_sdctl_candidates() {
  local begun=$1 at= before= word
  shift
  for word in "$@"; do
    case "\${at:+$at }$word" in
      ${commands.map(quoted).join(' | ')}) at="\${at:+$at }$word" ;;
    esac
    before=$word
  done
  case "$before" in
${choicesOf(program)
  .map(({ flags, values }) => `    ${flags.join(' | ')}) printf '%s\\n' ${values.join(' ')}; return ;;`)
  .join('\n')}
  esac
  case "$at" in
${all.map((each) => `    ${quoted(each.command)}) ${printed(each)} ;;`).join('\n')}
  esac
}`;
}

function printed({ words, options, takesService }: Words): string {
  const known = `printf '%s\\n' ${[...words, ...options].join(' ')}`;
  return takesService ? `${known}; case "$begun" in -*) ;; *) ${SERVICES} | ${PLAIN} ;; esac` : known;
}

function fish(program: Command): string[] {
  const choices = choicesOf(program);
  const options = program.options.map(({ short, long }) => {
    const values = choices.find(({ flags }) => flags.includes(long!))?.values;
    return `complete -c sdctl ${short ? `-s ${short.slice(1)} ` : ''}-l ${long!.slice(2)}${values ? ` -x -a ${quoted(values.join(' '))}` : ''}`;
  });
  const all = wordsOf(program);
  const isOwn = (option: string) => program.options.every(({ long }) => long !== option);
  return [
    ...options,
    ...all.flatMap(({ command, words, options, takesService }) => {
      const below = all.filter((each) => command !== '' && each.command.startsWith(`${command} `));
      const own = command.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
      const none = below.map((each) => `not __fish_seen_subcommand_from ${each.command.split(' ').at(-1)!}`);
      const when = command === '' ? '__fish_use_subcommand' : [...own, ...none].join('; and ');
      const line = `complete -c sdctl -n ${quoted(when)}`;
      return [
        ...(words.length > 0 ? [`${line} -f -a ${quoted(words.join(' '))}`] : []),
        ...(takesService ? [`${line} -f -a ${quoted(`(${SERVICES})`)}`] : []),
        ...(command === '' ? [] : options.filter(isOwn).map((option) => `${line} -l ${option.slice(2)}`)),
      ];
    }),
  ];
}

function quoted(text: string): string {
  return `'${text}'`;
}
