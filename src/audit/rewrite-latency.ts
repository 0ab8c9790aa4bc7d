/** The milliseconds of a rewrite: what each replacement saves at each rank, and what the rewritten model takes. */
import type { ConvLayer } from '../dsc/conv-layer.ts';
import { exactRank } from '../dsc/factorisation.ts';
import type { PlannedConv, RewriteWish } from '../dsc/plan-rewrite.ts';
import { projectedModel, type Replacement } from '../dsc/projected-model.ts';
import { separableReplacements } from '../dsc/separable-replacements.ts';
import type { Diagnostic } from '../ir/diagnostic.ts';
import type { Analysis } from './analyse.ts';
import type { GraphLatency, LatencyProjector } from './latency-figures.ts';
import type { Latency, ProfileSection } from './report.ts';

export interface RewriteLatency {
  readonly profile: ProfileSection | null;
  /** The model as it is; null where nothing is known of it. */
  readonly beforeMs: Latency | null;
  /** Some layers are not in the totals. */
  readonly isLowerBound: boolean;
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
  /** One for each call; null where one of them cannot be laid out. */
  const shapesOf = (layer: ConvLayer, rank: number): readonly Replacement[] | null => {
    const shapes = separableReplacements(layer, strategy, { rank, between });
    return shapes.length > 0 && layer.calls.every((node) => own.has(node)) ? shapes : null;
  };
  const byRank = new Map<number, (layer: ConvLayer) => Latency | null>();
  const projectedAt = (rank: number) => {
    const placed = new Map(
      layers.flatMap((layer) => {
        const shapes = rank <= exactRank(strategy.slices(layer)) ? shapesOf(layer, rank) : null;
        return shapes ? [[layer, shapes]] : [];
      }),
    );
    const projected = projectedModel(read.model, facts, [...placed.values()].flat());
    const after: GraphLatency | null = latency.project(projected);
    return (layer: ConvLayer) => {
      const made = placed.get(layer)?.flatMap((shape) => projected.nodes.get(shape) ?? []);
      return (made && after?.latencyOf(made)) ?? null;
    };
  };
  return {
    profile: latency.profile,
    beforeMs: latency.totalMs,
    isLowerBound: latency.isLowerBound,
    savedMs(layer, rank) {
      const known = byRank.get(rank) ?? projectedAt(rank);
      byRank.set(rank, known);
      const [before, after] = [latency.latencyOf(layer.calls), known(layer)];
      return before === null || after === null ? null : before.value - after.value;
    },
    afterMs(convs) {
      const shapes = convs.map(({ layer, form }) => shapesOf(layer, form.rank));
      if (!shapes.every((each) => each !== null)) return null;
      return latency.project(projectedModel(read.model, facts, shapes.flat()))?.totalMs ?? null;
    },
    diagnostics: latency.diagnostics,
  };
}
