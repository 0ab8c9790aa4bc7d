import { type Command, Option } from 'commander';
import { ALL, type StrategyOptions } from '../audit/choose-strategies.ts';
import { STRATEGY_NAMES } from '../dsc/strategies/index.ts';
import { positiveNumber } from './option-values.ts';

/** Options that say what convolutions would be replaced by. */
export function strategyOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--strategy <name>', 'how to replace them, or all side by side')
        .choices([...STRATEGY_NAMES, ALL])
        .default(STRATEGY_NAMES[0]),
    )
    .option('--expansion <t>', 'inner channels of an inverted residual, as a multiple (default: 6)', positiveNumber)
    .option('--reduction <r>', 'inner channels of a bottleneck, as a fraction 1/r (default: 4)', positiveNumber);
}

/** What was said of them. */
export function strategiesOf({ strategy, expansion, reduction }: StrategyOptions): StrategyOptions {
  return {
    ...(strategy === undefined ? {} : { strategy }),
    ...(expansion === undefined ? {} : { expansion }),
    ...(reduction === undefined ? {} : { reduction }),
  };
}
