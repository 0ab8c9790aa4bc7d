/** The milliseconds of a rewrite: what each replacement saves at each rank, and what the rewritten model takes. */
import type { ConvLayer } from '../dsc/conv-layer.ts';
import { exactRank } from '../dsc/factorisation.ts';
import type { RewriteWish } from '../dsc/plan-rewrite.ts';
import type { ReplacedConv } from '../dsc/replace-in-model.ts';
import { replacementShape } from '../dsc/replacement.ts';
import { type Diagnostic, diagnostic } from '../ir/diagnostic.ts';
import { DscAuditError } from '../ir/errors.ts';
import type { Node } from '../ir/graph.ts';
import type { ChosenProfile } from '../latency/choose-profile.ts';
import { projectModel } from '../latency/project.ts';
import { analysedModel } from '../runtime/network/analysed-model.ts';
import type { Analysis } from './analyse.ts';
import { profileSection } from './profile-section.ts';
import { replacedProjection } from './project-latency.ts';
import type { Latency, ProfileSection } from './report.ts';

export interface RewriteLatency {
  readonly profile: ProfileSection | null;
  /** The model as it is; null where nothing is known of it. */
  readonly beforeMs: Latency | null;
  /** What a layer's replacement saves by itself, with all others replaced at the same rank; null where that is not known. */
  savedMs(layer: ConvLayer, rank: number): number | null;
  /** The model with these in place. */
  afterMs(replacements: readonly ReplacedConv[]): Latency | null;
  readonly diagnostics: readonly Diagnostic[];
}

export type RewriteProjector = (
  analysis: Analysis,
  layers: readonly ConvLayer[],
  wish: RewriteWish,
) => RewriteLatency | null;

/** A model that the runtime cannot lay out has no latency; that is said. */
export const rewriteProjector =
  (chosen: ChosenProfile): RewriteProjector =>
  (analysis, layers, wish) => {
    try {
      return rewriteLatency(chosen, analysis, layers, wish);
    } catch (error) {
      if (!(error instanceof DscAuditError)) throw error;
      const told = diagnostic('latency-unknown', 'warning', null, { op: 'this model', reason: error.message });
      return { profile: null, beforeMs: null, savedMs: () => null, afterMs: () => null, diagnostics: [told] };
    }
  };

function rewriteLatency(
  chosen: ChosenProfile,
  { read, facts }: Analysis,
  layers: readonly ConvLayer[],
  { strategy, between, fitted }: RewriteWish,
): RewriteLatency {
  const source = analysedModel(read.model, facts);
  const [fit] = chosen.profile.fits;
  const now = projectModel(source, chosen.profile, fit);
  const positions = new Map<Node, number>(source.nodes.map((node, position) => [node, position]));
  const project = replacedProjection(source, chosen);
  const shapesAt = (rank: number): readonly ReplacedConv[] =>
    layers
      .filter((layer) => rank <= exactRank(strategy.slices(layer)))
      .flatMap((layer) => replacementShape(layer, strategy, { rank, between, bias: fitted }) ?? []);
  const byRank = new Map<number, ReturnType<typeof project>>();
  const atRank = (rank: number) => {
    const known = byRank.get(rank) ?? project(shapesAt(rank));
    byRank.set(rank, known);
    return known;
  };
  return {
    profile: fit === undefined ? null : profileSection(chosen, fit),
    beforeMs: now.totalMs,
    savedMs({ node }, rank) {
      const before = now.nodes.get(positions.get(node) ?? -1)?.value;
      const after = atRank(rank).latencyOf(node)?.value;
      return before === undefined || after === undefined ? null : before - after;
    },
    afterMs: (replacements) => project(replacements).projection.totalMs,
    diagnostics: chosen.diagnostics,
  };
}
