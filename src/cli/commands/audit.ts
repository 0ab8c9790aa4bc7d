import { type Command, Option } from 'commander';
import { BETWEEN } from '../../dsc/strategies/strategy.ts';
import { gateOptions } from '../gate-options.ts';
import { modelOptions } from '../model-options.ts';
import { collectText } from '../option-values.ts';
import { outputOptions } from '../output-options.ts';
import { profileOption } from '../profile-option.ts';
import type { AuditCommandOptions } from '../run-audit.ts';
import { strategyOptions } from '../strategy-options.ts';
import type { Terminal } from '../terminal.ts';
import { whatIfOptions } from '../what-if-options.ts';

const EXAMPLES = `
Examples:
  dsc-audit model.onnx                        its cost, and what could be a DSC
  dsc-audit model.keras                       the same; .h5 and JSON graphs, too
  dsc-audit model.onnx --blocks               by block (--depth 2: by module)
  dsc-audit model.onnx --sort macs --all      every layer, costliest first
  dsc-audit model.onnx --shape 1x3x320x320    with open dimensions bound
  dsc-audit model.onnx --width 0.75 --resolution 160
                                              what if it were thinner, smaller
  dsc-audit model.onnx --approximation        what a DSC can hold of its weights
  dsc-audit model.onnx --strategy all         DSC, inverted residual, bottleneck
  dsc-audit model.onnx --exclude layer4       leave a part of the model alone
  dsc-audit model.onnx --max-macs 600M        fail above a budget
  dsc-audit                                   what dsc-audit.config.json names
  dsc-audit *.onnx -o report.html -o all.csv  reports in files, too
  curl … | dsc-audit -                        from standard input

Exit codes:
  0 done · 1 a budget was exceeded, or could not be determined · 2 a model, the
  configuration or the command line cannot be used · 70 a bug in dsc-audit ·
  130 interrupted (143 by SIGTERM, 129 by SIGHUP)`;

/** The default command: audits models and writes their reports. */
export function defineAudit(program: Command, terminal: Terminal): void {
  const command = modelOptions(program.argument('[model...]', 'model files (ONNX or Keras), or - for standard input'));
  strategyOptions(command.optionsGroup('Candidates:'))
    .option(
      '--include <glob>',
      'consider these convolutions even if a default speaks against it (repeatable)',
      collectText,
    )
    .option('--exclude <glob>', 'leave these convolutions alone (layer or module, repeatable)', collectText)
    .addOption(new Option('--between <what>', 'what stands between the halves').choices(BETWEEN).default('none'))
    .option('--approximation', 'read the weights: how much of them a replacement holds');
  profileOption(command);
  whatIfOptions(command);
  gateOptions(command);
  outputOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (paths: readonly string[], options: AuditCommandOptions) => {
      const { runAudit } = await import('../run-audit.ts');
      const commands = program.commands.map((other) => other.name());
      return runAudit(paths, options, { terminal, commands });
    });
}
