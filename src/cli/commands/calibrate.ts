import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CalibrateCommandOptions } from '../run-calibrate.ts';
import type { Terminal } from '../terminal.ts';

const EXAMPLES = `
Examples:
  dsc-audit calibrate                    two to three minutes; close other programs
  dsc-audit calibrate --quick            ten seconds, wider intervals
  dsc-audit calibrate --threads 1,2      for one thread and for two
  dsc-audit calibrate -o laptop.json     a profile to pass around:
  dsc-audit model.onnx --profile laptop.json`;

const MAX_THREADS = 256;

/** `1,2` as numbers; each once. */
function threadList(text: string): readonly number[] {
  const counts = text.split(',').map(Number);
  if (counts.some((count) => !Number.isInteger(count) || count < 1 || count > MAX_THREADS)) {
    throw new InvalidArgumentError(`Write numbers of threads, for example 1,2.`);
  }
  return [...new Set(counts)];
}

/** Times a backend on this machine, fits the cost model, and stores it as a profile. */
export function defineCalibrate(program: Command, terminal: Terminal): void {
  program
    .command('calibrate')
    .summary('time this machine, so that audits tell its milliseconds')
    .description(
      'Times layers of many shapes on this machine, fits a cost model to them, tests it on layers that it has not seen, and stores it as a profile. Audits on this machine use it from then on.',
    )
    .option('--quick', 'seconds instead of minutes, with wider intervals')
    .option('--threads <list>', 'numbers of threads; audits use the first', threadList, [1])
    .addOption(new Option('--backend <name>', 'what to time').default('builtin'))
    .option('-o, --output <file>', "write the profile there, not to the user's cache folder")
    .addHelpText('after', EXAMPLES)
    .action(async (options: CalibrateCommandOptions) => {
      const { runCalibrate } = await import('../run-calibrate.ts');
      await runCalibrate(options, terminal);
    });
}
