import { Argument, type Command } from 'commander';
import { completionScript, SHELLS, type Shell } from '../completion.ts';
import { print, type Terminal } from '../terminal.ts';

const EXAMPLES = `
Examples:
  eval "$(dsc-audit completion bash)"     in ~/.bashrc
  eval "$(dsc-audit completion zsh)"      in ~/.zshrc
  dsc-audit completion fish | source      in ~/.config/fish/config.fish`;

/** `dsc-audit completion`: a script that completes commands, options and their values. */
export function defineCompletion(program: Command, terminal: Terminal): void {
  program
    .command('completion')
    .summary('print a completion script for a shell')
    .description('Prints a script with which a shell completes commands, options and their values.')
    .addArgument(new Argument(`<${Object.keys(SHELLS).join('|')}>`, 'your shell').choices(Object.keys(SHELLS)))
    .addHelpText('after', EXAMPLES)
    .action((shell: Shell) => print(terminal.stdout, completionScript(shell, program)));
}
