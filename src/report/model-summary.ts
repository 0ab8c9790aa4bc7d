import type { Figures, GateCheck, Report } from '../audit/report.ts';

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

export function summaryOf({ model, totals, dsc, gate }: Report): ModelSummary {
  return {
    path: model.path,
    before: dsc.projection.before,
    after: dsc.projection.after,
    peakActivationBytes: totals.peakActivationBytes,
    isLowerBound: totals.isLowerBound,
    candidates: dsc.candidates.length,
    convolutions: dsc.candidates.length + dsc.rejected.length,
    checks: gate.checks,
    held: gate.status === 'pass',
    failure: null,
  };
}
