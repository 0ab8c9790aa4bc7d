import { DscAuditError } from '../../ir/errors.ts';
import { depthwiseSeparable } from './depthwise-separable.ts';
import { pointwiseDepthwise } from './pointwise-depthwise.ts';
import type { Strategy } from './strategy.ts';

/** Every strategy. The first is the default. */
export const STRATEGIES: readonly [Strategy, ...Strategy[]] = [depthwiseSeparable, pointwiseDepthwise];

export const STRATEGY_NAMES: readonly string[] = STRATEGIES.map(({ name }) => name);

/** The strategy of that name; the default where none is given. Throws `invalid-option` for an unknown one. */
export function strategyNamed(name?: string): Strategy {
  if (name === undefined) return STRATEGIES[0];
  const strategy = STRATEGIES.find((candidate) => candidate.name === name);
  if (strategy) return strategy;
  throw new DscAuditError('invalid-option', `There is no strategy '${name}'; write ${STRATEGY_NAMES.join(' or ')}.`);
}
