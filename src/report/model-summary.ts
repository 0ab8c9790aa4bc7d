import type { Figures, GateCheck, Report, ReportedDiagnostic } from '../audit/report.ts';
import { callNotes } from './call-notes.ts';
import { type LowerBounds, lowerBounds } from './lower-bounds.ts';

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
    convolutions: dsc.candidates.length + dsc.rejected.length,
    checks: gate.checks,
    held: gate.status === 'pass',
    failure: null,
  };
}
