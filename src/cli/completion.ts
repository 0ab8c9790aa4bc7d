import type { Command, Option } from 'commander';

/** A command as completion sees it; the program itself has the empty name. */
interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
}

interface CompletedOption {
  readonly long: string;
  readonly description: string;
  readonly takesValue: boolean;
  /** Values that it may have; empty where any will do. */
  readonly choices: readonly string[];
}

/** Scripts by shell. Each is written from the same definitions that parse the command line. */
export const SHELLS = { bash, zsh, fish } as const satisfies Record<string, (commands: Commands) => string>;

export type Shell = keyof typeof SHELLS;

type Commands = readonly CompletedCommand[];

export function completionScript(shell: Shell, program: Command): string {
  const help = program.createHelp();
  const commands = [program, ...help.visibleCommands(program).filter((command) => command.name() !== 'help')];
  return SHELLS[shell](
    commands.map((command) => ({
      name: command === program ? '' : command.name(),
      description: command.summary() || command.description(),
      options: help.visibleOptions(command).flatMap(completedOption),
    })),
  );
}

function completedOption({ long, description, required, optional, argChoices }: Option): readonly CompletedOption[] {
  if (!long) return [];
  return [{ long, description, takesValue: required || optional, choices: argChoices ?? [] }];
}

const namesOf = (commands: Commands): readonly string[] =>
  commands.map(({ name }) => name).filter((name) => name !== '');

function bash(commands: Commands): string {
  const values = commands.flatMap(({ name, options }) =>
    options.flatMap(({ long, takesValue, choices }) => {
      if (!takesValue) return [];
      const words = choices.length === 0 ? '' : ` COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$current"));`;
      return `    '${name} ${long}')${words} return ;;`;
    }),
  );
  const options = commands.map(
    ({ name, options: own }) =>
      `      '${name}') COMPREPLY=($(compgen -W '${own.map(({ long }) => long).join(' ')}' -- "$current")) ;;`,
  );
  const names = namesOf(commands);
  return `# dsc-audit completion for bash: eval "$(dsc-audit completion bash)"
_dsc_audit() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in ${names.join('|')}) command=$word && break ;; esac
  done
  COMPREPLY=()
  case "$command $previous" in
${values.join('\n')}
  esac
  if [[ $current == -* ]]; then
    case $command in
${options.join('\n')}
    esac
  elif [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W '${names.join(' ')}' -- "$current"))
    local file
    while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$current")
  fi
}
complete -o default -o filenames -F _dsc_audit dsc-audit
`;
}

function zsh(commands: Commands): string {
  const spec = ({ long, description, takesValue, choices }: CompletedOption): string => {
    const value = takesValue ? `:value:${choices.length > 0 ? `(${choices.join(' ')})` : '_files'}` : '';
    return quoted(`*${long}[${description.replace(/[[\]:\\]/g, '\\$&')}]${value}`);
  };
  const cases = commands
    .filter(({ name }) => name !== '')
    .map(
      ({ name, options }) => `    ${name}) _arguments ${[...options.map(spec), quoted('*:file:_files')].join(' ')} ;;`,
    );
  const own = commands.find(({ name }) => name === '')?.options ?? [];
  const described = commands
    .filter(({ name }) => name !== '')
    .map(({ name, description }) => quoted(`${name}:${description.replaceAll(':', '\\:')}`));
  return `#compdef dsc-audit
# dsc-audit completion for zsh: eval "$(dsc-audit completion zsh)", or this file as _dsc-audit in a folder of $fpath
_dsc_audit() {
  local -a commands=(${described.join(' ')})
  local command=\${words[(r)(${namesOf(commands).join('|')})]}
  case $command in
${cases.join('\n')}
    *)
      (( CURRENT == 2 )) && [[ $PREFIX != -* ]] && _describe command commands
      _arguments ${[...own.map(spec), quoted('*:model:_files')].join(' ')} ;;
  esac
}
compdef _dsc_audit dsc-audit
`;
}

function fish(commands: Commands): string {
  const names = namesOf(commands).join(' ');
  const lines = commands.flatMap(({ name, description, options }) => {
    const condition = name === '' ? `not __fish_seen_subcommand_from ${names}` : `__fish_seen_subcommand_from ${name}`;
    const start = `complete -c dsc-audit -n ${quoted(condition)}`;
    return [
      ...(name === ''
        ? []
        : [`complete -c dsc-audit -n ${quoted('__fish_is_first_arg')} -a ${name} -d ${quoted(description)}`]),
      ...options.map(({ long, description: text, takesValue, choices }) => {
        const values = choices.length > 0 ? ` -xa ${quoted(choices.join(' '))}` : takesValue ? ' -r' : '';
        return `${start} -l ${long.replace(/^--/, '')}${values} -d ${quoted(text)}`;
      }),
    ];
  });
  return `# dsc-audit completion for fish: dsc-audit completion fish | source\n${lines.join('\n')}\n`;
}

/** For a shell, in single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
