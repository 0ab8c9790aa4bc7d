import type { Figures, GateCheck, Report, ReportedDiagnostic } from '../audit/report.ts';
import type { StrategyName } from '../dsc/strategies/strategy.ts';
import { callNotes } from './call-notes.ts';
import { type LowerBounds, lowerBounds } from './lower-bounds.ts';
import { convolutionsOf, STRATEGY_WORDS } from './strategy-text.ts';

/** A report in one line: all that is kept of it once its section is written. */
export interface ModelSummary {
  readonly path: string;
  readonly before: Figures;
  /** With every candidate converted. */
  readonly after: Figures;
  readonly peakActivationBytes: number | null;
  /** What goes before figures that lack something. */
  readonly atLeast: LowerBounds;
  readonly candidates: number;
  readonly convolutions: number;
  readonly strategy: StrategyName;
  readonly checks: readonly GateCheck[];
  /** Every budget is held. */
  readonly held: boolean;
  /** What is to be said once, however many models there are. */
  readonly notes: readonly ReportedDiagnostic[];
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
    atLeast: lowerBounds(report),
    notes: callNotes(report),
    candidates: dsc.candidates.length,
    convolutions: convolutionsOf(report).all,
    strategy: dsc.strategy,
    checks: gate.checks,
    held: gate.status === 'pass',
    failure: null,
  };
}

/** What stands behind the name of a figure, with everything converted: `MACs as DSC`. One call has one strategy. */
export function convertedAs(models: readonly (ModelSummary | FailedModel)[]): string {
  const audited = models.find((model) => model.failure === null);
  return STRATEGY_WORDS[audited?.strategy ?? 'depthwise-separable'].as;
}
