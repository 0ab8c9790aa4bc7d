import { type Command, Option } from 'commander';
import { COMPARISON_FORMATS } from '../../report/comparison-formats.ts';
import { namesOf } from '../../report/file-endings.ts';
import { modelOptions } from '../model-options.ts';
import { outputOption } from '../output-options.ts';
import { profileOption } from '../profile-option.ts';
import type { DiffOptions } from '../run-diff.ts';
import type { Terminal } from '../terminal.ts';

const EXAMPLES = `
Examples:
  dsc-audit diff old.onnx new.onnx            totals, and the layers that differ
  dsc-audit diff main.json new.onnx           against a report of --format json
  dsc-audit diff old.onnx new.onnx -o diff.md for a pull request, in a file too
  dsc-audit diff old.onnx new.onnx --dim N=8  with open dimensions bound in both`;

/** `dsc-audit diff`: two models, or reports of models, side by side. */
export function defineDiff(program: Command, terminal: Terminal): void {
  const command = program
    .command('diff')
    .summary('compare two models, or two JSON reports')
    .description('Compares two models: totals, and the layers that were added, removed and changed.')
    .argument('<before>', 'a model, or a report of --format json')
    .argument('<after>', 'a model, or a report of --format json');
  profileOption(modelOptions(command))
    .optionsGroup('Output:')
    .addOption(new Option('--format <format>', 'how to print it').choices(namesOf(COMPARISON_FORMATS)).default('table'))
    .addOption(outputOption(COMPARISON_FORMATS))
    .option('--all', 'show every layer that differs')
    .option('--no-color', 'print without colour')
    .addHelpText('after', EXAMPLES)
    .action(async (before: string, after: string, options: DiffOptions) => {
      const { runDiff } = await import('../run-diff.ts');
      await runDiff(before, after, options, terminal);
    });
}
