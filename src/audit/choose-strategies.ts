import { ALL_STRATEGIES, BLOCK_STRATEGIES, DEFAULT_STRATEGY, strategyNamed } from '../dsc/strategies/index.ts';
import type { AnyStrategy } from '../dsc/strategies/strategy.ts';
import { DscAuditError } from '../ir/errors.ts';
import type { ChosenStrategy } from './dsc-section.ts';

/** What may be said of strategies. */
export interface StrategyOptions {
  /**
   * How convolutions are replaced: `depthwise-separable` (the default), `pointwise-depthwise`, `inverted-residual` or
   * `bottleneck`; `all` sets them side by side (`Report.strategies`), with the verdicts of the default.
   */
  readonly strategy?: string;
  /** t of an inverted residual: inner channels over those that come in. Default: 6. */
  readonly expansion?: number;
  /** r of a bottleneck: channels that go out over inner ones. Default: 4. */
  readonly reduction?: number;
}

/** Stands for every strategy. */
export const ALL = 'all';

export interface ChosenStrategies {
  /** Whose verdicts the report has. */
  readonly strategy: ChosenStrategy;
  /** Those that are set side by side; empty where nobody asks. */
  readonly compared: readonly ChosenStrategy[];
}

/**
 * Loads what was asked for.
 *
 * @throws {DscAuditError} `invalid-option` for an unknown strategy, a ratio out of range, or one that nothing uses
 */
export async function chooseStrategies(options: StrategyOptions): Promise<ChosenStrategies> {
  const isAll = options.strategy === ALL;
  const asked = isAll ? ALL_STRATEGIES : [strategyNamed(options.strategy)];
  checkRatios(asked, options);
  const chosen: ChosenStrategy[] = [];
  for (const strategy of asked) chosen.push(await withRatio(strategy, options));
  return { strategy: chosen[0] ?? DEFAULT_STRATEGY, compared: isAll ? chosen : [] };
}

async function withRatio(strategy: AnyStrategy, options: StrategyOptions): Promise<ChosenStrategy> {
  if (strategy.replaces === 'convolution') return strategy;
  const { assessBlocks } = await import('../dsc/assess-blocks.ts');
  return { strategy, ratio: options[strategy.ratio.option] ?? strategy.ratio.default, assess: assessBlocks };
}

/** Beyond are typing errors, and a model of them need not fit into memory. */
const MAX_RATIO = 64;

function checkRatios(asked: readonly AnyStrategy[], options: StrategyOptions): void {
  for (const strategy of BLOCK_STRATEGIES) {
    const { option } = strategy.ratio;
    const value = options[option];
    if (value === undefined) continue;
    if (!(value > 0 && value <= MAX_RATIO)) {
      throw invalid(`the ${option} cannot be ${value}: a number above 0, up to ${MAX_RATIO}`);
    }
    if (!asked.includes(strategy)) {
      throw invalid(`the ${option} is that of ${strategy.name}: add --strategy ${strategy.name}, or --strategy ${ALL}`);
    }
  }
}

const invalid = (what: string): DscAuditError => new DscAuditError('invalid-option', `${what}.`);
