import { type Command, Option } from 'commander';

/** The option of every command that projects milliseconds. */
export function profileOption(command: Command): Command {
  const option = new Option(
    '--profile <file>',
    "project milliseconds with this profile, or `reference`, or `none` (default: this machine's, else the reference)",
  );
  return command.optionsGroup('Latency:').addOption(option);
}
