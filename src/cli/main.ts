import { Command, CommanderError } from 'commander';
import { nearest } from '../gate/nearest.ts';
import { DscAuditError, MissingOptions } from '../ir/errors.ts';
import { orOutOfMemory } from '../ir/out-of-memory.ts';
import { shellQuote } from '../ir/shell-quote.ts';
import { plainText } from '../report/plain-text.ts';
import { COMMANDS } from './commands/index.ts';
import { BudgetsNotHeld, UnusableModels } from './outcome-errors.ts';
import type { Terminal } from './terminal.ts';

/** What the process exits with. */
export const EXIT = { done: 0, overBudget: 1, unusable: 2, bug: 70, interrupted: 130 } as const;

const HOME_PAGE = 'https://www.npmjs.com/package/dsc-audit';

/** Runs the command line that `terminal` holds, and returns the exit code. */
export async function main(terminal: Terminal): Promise<number> {
  // Whoever writes hears of trouble; without a listener it would end the process.
  for (const stream of [terminal.stdout, terminal.stderr]) stream.on('error', () => undefined);
  const program = commandLine(terminal);
  try {
    await program.parseAsync([...terminal.argv]);
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) suggestCommand(error, program, terminal);
    return report(asTyped(orOutOfMemory(error), program, terminal), terminal);
  }
}

function commandLine(terminal: Terminal): Command {
  const program = new Command('dsc-audit')
    .description(
      'Audits a convolutional network: where its cost sits, which convolutions could become depthwise separable ones (DSC), and what that would save.',
    )
    .version(__DSC_AUDIT_VERSION__, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showSuggestionAfterError()
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'dsc-audit: ')),
      getOutHelpWidth: () => terminal.stdout.columns ?? 80,
      getErrHelpWidth: () => terminal.stderr.columns ?? 80,
    });
  for (const define of COMMANDS) define(program, terminal);
  return program;
}

/** An option that the audit does not have may be one of a command that was mistyped. */
function suggestCommand({ code }: CommanderError, { commands }: Command, { argv, stderr }: Terminal): void {
  const [, , first = ''] = argv;
  const names = commands.map((command) => command.name());
  const guess = code !== 'commander.unknownOption' || names.includes(first) ? null : nearest(first, names);
  if (guess !== null) stderr.write(`Did you mean the command ${guess}?\n`);
}

/** What mends another command than the audit, in that command as it was typed. */
function asTyped(error: unknown, { commands }: Command, { argv }: Terminal): unknown {
  const typed = argv.slice(2);
  if (!(error instanceof MissingOptions) || !commands.some((command) => command.name() === typed[0])) return error;
  // The error has those again that are to stay.
  const rest = typed.filter((text, at) => !isBinding(text) && !BINDINGS.has(typed[at - 1]));
  const command = ['dsc-audit', ...rest.map((text) => shellQuote(text)), ...error.options].join(' ');
  return new DscAuditError(error.code, `${error.what} ${command}`);
}

const BINDINGS: ReadonlySet<string | undefined> = new Set(['--dim', '--shape']);
const isBinding = (text: string | undefined): boolean => BINDINGS.has(text?.split('=')[0]);

/** Says what went wrong, once, and what the process exits with. */
function report(error: unknown, { stderr }: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.unusable;
  if (error instanceof BudgetsNotHeld) return EXIT.overBudget;
  const failures = error instanceof UnusableModels ? error.failures : error instanceof DscAuditError ? [error] : [];
  for (const { message } of failures)
    stderr.write(`dsc-audit: ${shortened(plainText(message))}
`);
  if (failures.some(({ code }) => code === 'interrupted')) return EXIT.interrupted;
  if (failures.length > 0) return EXIT.unusable;
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  stderr.write(
    `dsc-audit: this is a bug in dsc-audit ${__DSC_AUDIT_VERSION__}. Please report it (see ${HOME_PAGE}), with\n${trace}\n`,
  );
  return EXIT.bug;
}

/** Names from a file may be long; a sentence is not. */
const MAX_MESSAGE_LENGTH = 1000;

function shortened(message: string): string {
  return message.length <= MAX_MESSAGE_LENGTH ? message : `${message.slice(0, MAX_MESSAGE_LENGTH)}…`;
}
