/** The milliseconds of a rewrite: what each replacement saves at each rank, and what the rewritten model takes. */
import type { ConvLayer } from '../dsc/conv-layer.ts';
import { exactRank } from '../dsc/factorisation.ts';
import type { PlannedConv, RewriteWish } from '../dsc/plan-rewrite.ts';
import { projectedModel } from '../dsc/projected-model.ts';
import { separableReplacement } from '../dsc/separable-replacement.ts';
import type { Diagnostic } from '../ir/diagnostic.ts';
import type { Analysis } from './analyse.ts';
import type { GraphLatency, LatencyProjector } from './latency-figures.ts';
import type { Latency, ProfileSection } from './report.ts';

export interface RewriteLatency {
  readonly profile: ProfileSection | null;
  /** The model as it is; null where nothing is known of it. */
  readonly beforeMs: Latency | null;
  /** What a layer's replacement saves, with all others replaced at the same rank; null where that is not known. */
  savedMs(layer: ConvLayer, rank: number): number | null;
  /** The model with these in place. */
  afterMs(convs: readonly PlannedConv[]): Latency | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** `layers` are those that can be replaced. */
export function rewriteLatency(
  projector: LatencyProjector,
  analysis: Analysis,
  layers: readonly ConvLayer[],
  { strategy, between }: RewriteWish,
): RewriteLatency {
  const { read, facts } = analysis;
  const latency = projector(analysis);
  const own = new Set(facts.order.get(read.model.graph) ?? read.model.graph.nodes);
  const shapeOf = (layer: ConvLayer, rank: number) =>
    own.has(layer.node) ? separableReplacement(layer, strategy, { rank, between }) : null;
  const byRank = new Map<number, (layer: ConvLayer) => Latency | null>();
  const projectedAt = (rank: number) => {
    const placed = layers.flatMap((layer) => {
      const replacement = rank <= exactRank(strategy.slices(layer)) ? shapeOf(layer, rank) : null;
      return replacement ? [{ layer, replacement }] : [];
    });
    const projected = projectedModel(
      read.model,
      facts,
      placed.map(({ replacement }) => replacement),
    );
    const after: GraphLatency | null = latency.project(projected);
    const nodes = new Map(placed.map(({ layer }, index) => [layer.index, projected.nodes[index] ?? []]));
    return ({ index }: ConvLayer) => {
      const made = nodes.get(index);
      return (made && after?.latencyOf(made)) ?? null;
    };
  };
  return {
    profile: latency.profile,
    beforeMs: latency.totalMs,
    savedMs(layer, rank) {
      const known = byRank.get(rank) ?? projectedAt(rank);
      byRank.set(rank, known);
      const [before, after] = [latency.latencyOf([layer.node]), known(layer)];
      return before === null || after === null ? null : before.value - after.value;
    },
    afterMs(convs) {
      const shapes = convs.flatMap(({ layer, form }) => shapeOf(layer, form.rank) ?? []);
      return latency.project(projectedModel(read.model, facts, shapes))?.totalMs ?? null;
    },
    diagnostics: latency.diagnostics,
  };
}
