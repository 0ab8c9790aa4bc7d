/** What `rewrite` prints as JSON: plain data, of the same kind as the audit's report. */
import type { ConvFigures } from '../dsc/strategies/strategy.ts';
import type { Coverage, Latency, ModelSection, ProfileSection, ReportedDiagnostic, SCHEMA_VERSION } from './report.ts';

export interface RewriteReport {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly tool: { readonly name: 'dsc-audit'; readonly version: string };
  readonly model: ModelSection;
  /** How much of the original is counted: while it is not all, MACs and FLOPs are lower bounds, before and after. */
  readonly coverage: Coverage;
  /** The file that was written; null where nothing was. */
  readonly written: string | null;
  readonly strategy: string;
  readonly between: string;
  /** As it was given; null where there was none. */
  readonly target: string | null;
  /** Null without a target. */
  readonly met: boolean | null;
  /** Sum over the replaced layers of the share of energy that is lost; null where the model has no weights. */
  readonly loss: number | null;
  /** The loss is above the least possible one by no more than this; null where nothing was to be chosen. */
  readonly excessLoss: number | null;
  readonly layers: readonly RewrittenLayer[];
  /** Candidates that could not be replaced. */
  readonly skipped: readonly SkippedLayer[];
  readonly before: RewriteFigures;
  readonly after: RewriteFigures;
  /** What the replacements were fitted to; null where nothing was. */
  readonly samples: { readonly count: number } | null;
  /** How near the new model is to the original; null where that was not measured. */
  readonly validation: Validation | null;
  /** What the milliseconds are projected with; null where they are not. */
  readonly profile: ProfileSection | null;
  readonly diagnostics: readonly ReportedDiagnostic[];
}

export interface RewrittenLayer {
  readonly layer: string;
  readonly index: number;
  readonly rank: number;
  /** Share of the weights' squared norm that is kept; null where the model has no weights. */
  readonly energy: number | null;
  /** ‖new output − old output‖ / ‖old output‖ over the validation items; null where that was not measured. */
  readonly outputError: number | null;
  readonly before: ConvFigures;
  readonly after: ConvFigures;
}

export interface SkippedLayer {
  readonly layer: string;
  readonly index: number;
  readonly reason: string;
}

export interface RewriteFigures {
  readonly params: number;
  readonly macs: number;
  readonly flops: number;
  readonly weightBytes: number;
  /** The file and its external data; null where a part of that is missing. */
  readonly fileBytes: number | null;
  readonly latencyMs: Latency | null;
  /** The latency of some layers is not known, and the total lacks it. */
  readonly isLatencyLowerBound: boolean;
  /** Some figures are not known, and the totals lack them. */
  readonly isLowerBound: boolean;
}

export interface Validation {
  readonly count: number;
  /** Mean cosine between the outputs of the original and the new model. */
  readonly cosine: number;
  /** Share of items that both put into the same class; null where the output is no row of scores. */
  readonly top1Agreement: number | null;
  /** Share of items put into the class that their label names; null without labels. */
  readonly accuracyBefore: number | null;
  readonly accuracyAfter: number | null;
}
