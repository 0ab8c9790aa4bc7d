/** What was rewritten, as the report that `rewrite` prints. */
import type { RewritePlan, RewriteWish } from '../dsc/plan-rewrite.ts';
import type { ModelCost } from '../dsc/target.ts';
import { type Diagnostic, diagnostic } from '../ir/diagnostic.ts';
import { reported } from './diagnostic-messages.ts';
import type { Fitted } from './fit-to-samples.ts';
import type { Report } from './report.ts';
import type { RewriteLatency } from './rewrite-latency.ts';
import type { RewriteFigures, RewriteReport, SkippedLayer } from './rewrite-report.ts';

/** A finished rewrite, and what it was made from. */
export interface RewriteOutcome {
  /** The original's audit. */
  readonly audited: Report;
  readonly before: RewriteFigures;
  /** What was asked for. */
  readonly wish: RewriteWish & Pick<RewriteReport, 'between'>;
  readonly output: string;
  readonly plan: RewritePlan;
  readonly skipped: readonly SkippedLayer[];
  readonly latency: RewriteLatency | null;
  /** Null where nothing was fitted. */
  readonly fitted: Fitted | null;
  readonly samples: RewriteReport['samples'];
  /** Of all files that will be written. */
  readonly fileBytes: number;
}

export function reportRewrite(outcome: RewriteOutcome): RewriteReport {
  const { audited, before, wish, output, plan, skipped, latency, fitted, samples } = outcome;
  const { schemaVersion, tool, model, coverage } = audited;
  return {
    schemaVersion,
    tool,
    model,
    coverage,
    written: output,
    strategy: wish.strategy.name,
    between: wish.between,
    target: wish.target?.text ?? null,
    met: wish.target ? true : null,
    loss: plan.loss,
    excessLoss: plan.excess,
    layers: plan.convs.map(({ layer, form, energy, before: was, after }, index) => ({
      layer: layer.name,
      index: layer.index,
      rank: form.rank,
      energy,
      outputError: fitted?.outputErrors[index] ?? null,
      before: was,
      after,
    })),
    skipped,
    before,
    after: figuresAfter(outcome),
    samples,
    validation: fitted?.validation ?? null,
    profile: latency?.profile ?? null,
    diagnostics: [
      ...audited.diagnostics,
      ...[...(latency?.diagnostics ?? []), ...beyondExact(wish, plan)].map(reported),
    ],
  };
}

/** What the model costs as it is. */
export function figuresBefore({ model, totals }: Report, latency: RewriteLatency | null): RewriteFigures {
  return {
    params: totals.params.total,
    macs: totals.macs,
    flops: totals.flops,
    weightBytes: totals.weightBytes,
    fileBytes: model.fileBytes,
    latencyMs: latency?.beforeMs ?? null,
    isLatencyLowerBound: latency?.isLowerBound ?? false,
    isLowerBound: totals.isLowerBound,
  };
}

/** What targets are held against: MACs only where all of them are counted. */
export const costOf = ({ totals, coverage }: Report, { params, fileBytes, latencyMs }: RewriteFigures): ModelCost => ({
  macs: coverage.counted === coverage.nodes ? totals.macs : null,
  params,
  fileBytes,
  latencyMs: latencyMs?.value ?? null,
});

function figuresAfter({ before, plan, latency, fileBytes }: RewriteOutcome): RewriteFigures {
  const { saved } = plan;
  return {
    ...before,
    params: before.params - saved.params,
    macs: before.macs - saved.macs,
    flops: before.flops - saved.flops,
    weightBytes: before.weightBytes - saved.weightBytes,
    fileBytes,
    latencyMs: latency?.afterMs(plan.convs) ?? null,
  };
}

/** A rank that was asked for outright, and that some layers do not have. */
function beyondExact({ rank }: RewriteWish, { convs }: RewritePlan): readonly Diagnostic[] {
  if (rank === 'auto') return [];
  const lowered = convs.filter(({ form }) => form.rank < rank);
  if (lowered.length === 0) return [];
  const highest = Math.max(...lowered.map(({ form }) => form.rank));
  const names = lowered.map(({ layer }) => layer.name);
  return [diagnostic('rank-beyond-exact', 'warning', null, { rank, highest, layers: lowered.length, names })];
}
