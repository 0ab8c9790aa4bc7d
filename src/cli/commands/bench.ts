import { Chalk } from 'chalk';
import { type Command, Option } from 'commander';
import { analyseSource } from '../../audit/analyse.ts';
import type { BenchReport } from '../../audit/bench-report.ts';
import { DscAuditError } from '../../ir/errors.ts';
import { chooseProfile } from '../../latency/choose-profile.ts';
import { thisMachine } from '../../latency/machine.ts';
import { renderBenchTable } from '../../report/bench-table.ts';
import { bindingsOf, type ModelOptions, modelOptions } from '../model-options.ts';
import { openModel } from '../open-model.ts';
import { wholeNumber } from '../option-values.ts';
import { progressLine } from '../progress-line.ts';
import { colourLevel, print, type Terminal, widthOf } from '../terminal.ts';

interface BenchCommandOptions extends ModelOptions {
  readonly threads?: number;
  readonly runs: number;
  readonly exact?: boolean;
  readonly experimentalWideVectors?: boolean;
  readonly profile?: string;
  readonly format: Format;
  readonly all?: boolean;
  readonly color: boolean;
}

type Render = (report: BenchReport, options: BenchCommandOptions, terminal: Terminal) => string;

const FORMATS = {
  table: (report, { all = false, color }, { stdout, env }) => {
    const style = new Chalk({ level: colourLevel(stdout, env, color) });
    return renderBenchTable(report, { width: widthOf(stdout), all, style });
  },
  json: (report) => `${JSON.stringify(report, null, 2)}\n`,
} as const satisfies Record<string, Render>;

type Format = keyof typeof FORMATS;

const DEFAULT_RUNS = 20;

const EXAMPLES = `
Examples:
  dsc-audit bench model.onnx                      milliseconds by layer
  dsc-audit bench model.onnx --threads 1          on one thread
  dsc-audit bench model.onnx --shape 1x3x320x320  at another size
  dsc-audit bench model.onnx --format json        for programs`;

/** Runs a model on the built-in runtime, and prints what each layer takes. */
export function defineBench(program: Command, terminal: Terminal): void {
  const command = program
    .command('bench')
    .summary('run a model on the built-in runtime, and time its layers')
    .description(
      'Runs a model on the built-in runtime (WebAssembly, nothing to install) and prints what each layer takes on this machine.',
    )
    .argument('<model>', 'a model file (ONNX or Keras), or - for standard input');
  modelOptions(command)
    .optionsGroup('Runtime:')
    .option('--threads <n>', 'threads to run on (default: the processors there are, up to 4)', wholeNumber)
    .option('--runs <n>', 'runs that the medians are over', wholeNumber, DEFAULT_RUNS)
    .option('--exact', 'no kernels that change the order of arithmetic (Winograd)')
    .option('--experimental-wide-vectors', "switch on V8's experimental 256-bit vectors, where they have an effect")
    .optionsGroup('Latency:')
    .option(
      '--profile <file>',
      "hold this profile's milliseconds against the measured ones, or `reference`'s, or `none` (default: this machine's, else the reference)",
    )
    .optionsGroup('Output:')
    .addOption(new Option('--format <format>', 'how to print it').choices(Object.keys(FORMATS)).default('table'))
    .option('--all', 'show every layer')
    .option('--no-color', 'print without colour')
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, options: BenchCommandOptions) => {
      const report = await benchPath(path, options, terminal);
      await print(terminal.stdout, FORMATS[options.format](report, options, terminal));
    });
}

async function benchPath(path: string, options: BenchCommandOptions, terminal: Terminal): Promise<BenchReport> {
  const { benchModel } = await import('../../audit/bench-model.ts');
  const machine = thisMachine();
  const profile = await chooseProfile(options.profile ?? null, machine, {
    env: terminal.env,
    platform: machine.platform,
  });
  const analysis = await analyseSource(await openModel(path, terminal), bindingsOf(options));
  const now = (): number => performance.now();
  const line = progressLine(terminal.stderr, now);
  try {
    return await benchModel(analysis, options, {
      now,
      progress: (done, of) => line.show(`timing the layers: ${done} of ${of} runs`),
      profile,
    });
  } catch (error) {
    if (error instanceof DscAuditError) throw new DscAuditError(error.code, `${path}: ${error.message}`);
    throw error;
  } finally {
    line.clear();
    analysis.read.close();
  }
}
