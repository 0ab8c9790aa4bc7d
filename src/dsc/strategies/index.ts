import { DscAuditError } from '../../ir/errors.ts';
import { bottleneck } from './bottleneck.ts';
import { depthwiseSeparable } from './depthwise-separable.ts';
import { invertedResidual } from './inverted-residual.ts';
import { pointwiseDepthwise } from './pointwise-depthwise.ts';
import type { AnyStrategy, BlockStrategy, Strategy, StrategyName } from './strategy.ts';

/** Every strategy, in the order in which they are compared. */
const TABLE: Readonly<Record<StrategyName, AnyStrategy>> = {
  'depthwise-separable': depthwiseSeparable,
  'pointwise-depthwise': pointwiseDepthwise,
  'inverted-residual': invertedResidual,
  bottleneck,
};

export const ALL_STRATEGIES: readonly AnyStrategy[] = Object.values(TABLE);

/** Those that replace one convolution by two, whose weights follow from the original's. */
export const STRATEGIES: readonly Strategy[] = ALL_STRATEGIES.filter((strategy) => strategy.replaces === 'convolution');

/** Those that replace the convolutions of a block, and leave a ratio open. */
export const BLOCK_STRATEGIES: readonly BlockStrategy[] = ALL_STRATEGIES.filter(
  (strategy) => strategy.replaces === 'block',
);

export const DEFAULT_STRATEGY: Strategy = depthwiseSeparable;

export const STRATEGY_NAMES: readonly string[] = Object.keys(TABLE);

/** The strategy of that name; the default where none is given. Throws `invalid-option` for an unknown one. */
export function strategyNamed(name?: string): AnyStrategy {
  if (name === undefined) return DEFAULT_STRATEGY;
  const strategy = ALL_STRATEGIES.find((candidate) => candidate.name === name);
  if (strategy) return strategy;
  const known = STRATEGY_NAMES.slice(0, -1).join(', ');
  throw new DscAuditError(
    'invalid-option',
    `There is no strategy '${name}'; write ${known} or ${STRATEGY_NAMES.at(-1)}.`,
  );
}

/**
 * The same of those that can be written into a model: the weights of a block of another shape follow from no others.
 *
 * @throws {DscAuditError} `invalid-option`, with what can be done instead
 */
export function writableStrategyNamed(name?: string): Strategy {
  const strategy = strategyNamed(name);
  if (strategy.replaces === 'convolution') return strategy;
  const can = STRATEGIES.map((each) => each.name).join(' or ');
  throw new DscAuditError(
    'invalid-option',
    `The weights of a new ${strategy.name} block do not follow from the trained ones, so it cannot be written: build it into the network and train that. dsc-audit model.onnx --strategy ${strategy.name} --format json lists every layer of it (dsc.candidates, becomes). What can be written is --strategy ${can}.`,
  );
}
