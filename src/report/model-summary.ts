import type { Figures, GateCheck, Report } from '../audit/report.ts';
import type { StrategyName } from '../dsc/strategies/strategy.ts';
import { convolutionsOf, STRATEGY_WORDS } from './strategy-text.ts';

/** A report in one line: all that is kept of it once its section is written. */
export interface ModelSummary {
  readonly path: string;
  readonly before: Figures;
  /** With every candidate converted. */
  readonly after: Figures;
  readonly peakActivationBytes: number | null;
  readonly isLowerBound: boolean;
  readonly candidates: number;
  readonly convolutions: number;
  readonly strategy: StrategyName;
  readonly checks: readonly GateCheck[];
  /** Every budget is held. */
  readonly held: boolean;
  readonly failure: null;
}

/** A model that could not be audited, with the sentence that says why. */
export interface FailedModel {
  readonly path: string;
  readonly failure: string;
}

export function summaryOf(report: Report): ModelSummary {
  const { model, totals, dsc, gate } = report;
  return {
    path: model.path,
    before: dsc.projection.before,
    after: dsc.projection.after,
    peakActivationBytes: totals.peakActivationBytes,
    isLowerBound: totals.isLowerBound,
    candidates: dsc.candidates.length,
    convolutions: convolutionsOf(report).all,
    strategy: dsc.strategy,
    checks: gate.checks,
    held: gate.status === 'pass',
    failure: null,
  };
}

/** Over the column of what converting leaves: one call has one strategy. */
export const convertedHead = (models: Models): string => wordsOf(models).head;

/** The same behind the name of a figure: `MACs as DSC`. */
export const convertedAs = (models: Models): string => wordsOf(models).as;

type Models = readonly (ModelSummary | FailedModel)[];

function wordsOf(models: Models) {
  const audited = models.find((model) => model.failure === null);
  return STRATEGY_WORDS[audited?.strategy ?? 'depthwise-separable'];
}
