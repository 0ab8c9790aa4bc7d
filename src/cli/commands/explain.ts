import { type Command, Option } from 'commander';
import { modelOptions } from '../model-options.ts';
import { profileOption } from '../profile-option.ts';
import type { ExplainOptions } from '../run-explain.ts';
import { strategyOptions } from '../strategy-options.ts';
import type { Terminal } from '../terminal.ts';

export const EXPLAIN_FORMATS = ['text', 'json'] as const;

const EXAMPLES = `
Examples:
  dsc-audit explain                         the words that it explains
  dsc-audit explain dsc                     a textbook example, worked out
  dsc-audit explain model.onnx              the words, on this model's layers
  dsc-audit explain model.onnx conv1        a layer, by its name
  dsc-audit explain model.onnx 7            by its number
  dsc-audit explain model.onnx 'layer1.0/conv2*' by a glob that matches one layer
  dsc-audit explain model.onnx 7 --strategy bottleneck
                                            what its block would become
  dsc-audit explain model.onnx 7 --format json   for programs`;

/** `dsc-audit explain`: figures worked out, of a layer, of a model's own blocks, or of a textbook example. */
export function defineExplain(program: Command, terminal: Terminal): void {
  const command = program
    .command('explain')
    .summary('work out the figures of a layer, or explain a word')
    .description(
      'Works out the figures of a layer: the formula in symbols, the same with its numbers, the result; what it would be as a depthwise separable convolution (DSC), and its verdict. Without a layer it explains the words of the field on the model, without a model on a textbook example.',
    )
    .argument('[model]', 'a model file (ONNX or Keras), - for standard input, or a word such as dsc')
    .argument('[layer]', "a layer's name, its number, or a glob that matches one layer");
  modelOptions(command);
  strategyOptions(command.optionsGroup('Candidates:'));
  profileOption(command)
    .optionsGroup('Output:')
    .addOption(new Option('--format <format>', 'how to print it').choices(EXPLAIN_FORMATS).default('text'))
    .option('--no-color', 'print without colour')
    .addHelpText('after', EXAMPLES)
    .action(async (path: string | undefined, layer: string | undefined, options: ExplainOptions) => {
      const { runExplain } = await import('../run-explain.ts');
      await runExplain(path, layer, options, terminal);
    });
}
