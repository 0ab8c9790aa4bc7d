import { type Command, Option } from 'commander';
import { modelOptions } from '../model-options.ts';
import { wholeNumber } from '../option-values.ts';
import type { BenchCommandOptions } from '../run-bench.ts';
import type { Terminal } from '../terminal.ts';

export const BENCH_FORMATS = ['table', 'json'] as const;

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
    .option(
      '--threads <n>',
      'threads to run on (default: as many as the profile is of, without one the processors up to 4)',
      wholeNumber,
    )
    .option('--runs <n>', 'runs that the medians are over', wholeNumber, DEFAULT_RUNS)
    .option('--exact', 'no kernels that change the order of arithmetic (Winograd, Strassen)')
    .option('--experimental-wide-vectors', "switch on V8's experimental 256-bit vectors, where they have an effect")
    .optionsGroup('Latency:')
    .option(
      '--profile <file>',
      "hold this profile's milliseconds against the measured ones, or `reference`'s, or `none` (default: this machine's, else the reference)",
    )
    .optionsGroup('Output:')
    .addOption(new Option('--format <format>', 'how to print it').choices(BENCH_FORMATS).default('table'))
    .option('--all', 'show every layer')
    .option('--no-color', 'print without colour')
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, options: BenchCommandOptions) => {
      const { runBench } = await import('../run-bench.ts');
      await runBench(path, options, terminal);
    });
}
