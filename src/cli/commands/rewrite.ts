import { type Command, InvalidArgumentError, Option } from 'commander';
import { STRATEGY_NAMES } from '../../dsc/strategies/index.ts';
import { BETWEEN } from '../../dsc/strategies/strategy.ts';
import { parseTarget } from '../../dsc/target.ts';
import { DscAuditError } from '../../ir/errors.ts';
import { modelOptions } from '../model-options.ts';
import { collectText, wholeNumber } from '../option-values.ts';
import { profileOption } from '../profile-option.ts';
import type { RewriteCommandOptions } from '../run-rewrite.ts';
import type { Terminal } from '../terminal.ts';

export const REWRITE_FORMATS = ['table', 'json'] as const;

const EXAMPLES = `
Examples:
  dsc-audit rewrite model.onnx -o light.onnx                      every candidate, at rank 1
  dsc-audit rewrite model.onnx -o light.onnx --target macs=-50%   the least loss that halves the MACs
  dsc-audit rewrite model.keras -o light.keras --target latency=-30%
                                                                  the same for projected milliseconds
  dsc-audit rewrite model.onnx -o light.onnx --min-energy 0.9     as far as 90 % of each layer is kept
  dsc-audit rewrite model.onnx -o light.onnx --exclude layer4     leave a part of the model alone
  dsc-audit rewrite model.onnx -o light.onnx --samples train.npy --validation test.npy --labels classes.npy
                                                                  fit it to data, without training
  dsc-audit rewrite model.onnx --emit pytorch recipe.py           the same, done to the model in Python
  dsc-audit rewrite model.onnx -o light.onnx --dry-run            plan only

Without sample inputs the new weights are the best that the old ones tell:
fine-tune the model before use.`;

/** Writes a model with convolutions replaced. */
export function defineRewrite(program: Command, terminal: Terminal): void {
  const command = program
    .command('rewrite')
    .summary('write the model with depthwise separable convolutions in place of chosen ones')
    .description(
      'Writes the model with depthwise separable convolutions in place of chosen ones. Their weights start from the trained ones.',
    )
    .argument('<model>', 'a model file (ONNX or Keras), or - for standard input')
    .option('-o, --output <file>', 'the file to write')
    .option('--emit <pytorch file.py...>', 'write a PyTorch recipe that does the same to the model in Python')
    .option('--force', 'replace what is to be written where it is there already')
    .option('--dry-run', 'plan and report, write nothing');
  modelOptions(command)
    .optionsGroup('Plan:')
    .option('--target <metric=value>', 'macs=-50%, params=5M, size=20MB or latency=15ms, at the least loss', target)
    .option('--rank <n>', "depthwise filters a channel, or 'auto' (default: auto with a target, else 1)", rank)
    .option('--min-energy <share>', "keep at least this share of each layer's weights, 0 to 1", energy)
    .option('--include <glob>', 'consider these even if a default speaks against it (repeatable)', collectText)
    .option('--exclude <glob>', 'leave these convolutions alone (layer or module, repeatable)', collectText)
    .addOption(
      new Option('--strategy <name>', 'how to replace them').choices(STRATEGY_NAMES).default(STRATEGY_NAMES[0]),
    )
    .addOption(new Option('--between <what>', 'what stands between the halves').choices(BETWEEN).default('none'));
  profileOption(command)
    .optionsGroup('Samples:')
    .option('--samples <path>', 'fit the new weights to these inputs (.npy, .npz, raw, or a folder of ONNX tensors)')
    .option('--validation <path>', 'judge the new model on these (default: the samples)')
    .option('--labels <path>', 'classes of the items that it is judged on (.npy, or raw integers)')
    .optionsGroup('Output:')
    .addOption(new Option('--format <format>', 'how to print the report').choices(REWRITE_FORMATS).default('table'))
    .option('--no-color', 'print without colour')
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, options: RewriteCommandOptions) => {
      const { runRewrite } = await import('../run-rewrite.ts');
      await runRewrite(path, options, terminal);
    });
}

/** Read here so that what is wrong is said before the model is opened. */
function target(text: string, before: string | undefined): string {
  if (before !== undefined) throw new InvalidArgumentError(`One target is planned for; ${before} is given already.`);
  try {
    parseTarget(text);
    return text;
  } catch (error) {
    if (error instanceof DscAuditError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

const rank = (text: string): number | 'auto' => (text === 'auto' ? 'auto' : wholeNumber(text));

function energy(text: string): number {
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text) && value <= 1) return value;
  throw new InvalidArgumentError(`'${text}' is no share; write a number from 0 to 1, as in 0.9.`);
}
