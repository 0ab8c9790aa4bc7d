/** Which candidates can be replaced in the model's own file, and why the others cannot. */
import { assess } from '../dsc/assess.ts';
import type { ConvLayer } from '../dsc/conv-layer.ts';
import { convWeights } from '../dsc/conv-weights.ts';
import { energyByRank } from '../dsc/factorisation.ts';
import { type LayerPatterns, layerChoice } from '../dsc/layer-choice.ts';
import type { LinearAlgebra } from '../dsc/linear-algebra.ts';
import type { ReplaceableConv, RewriteWish } from '../dsc/plan-rewrite.ts';
import { shapedReplacement } from '../dsc/replacement.ts';
import type { ModelWriter } from '../formats/model-writer.ts';
import { isWeightType } from '../ir/elements.ts';
import { DscAuditError } from '../ir/errors.ts';
import type { Analysis } from './analyse.ts';
import type { SkippedLayer } from './rewrite-report.ts';

export interface ReplaceableConvolutions {
  /** In the model's order. */
  readonly replaceable: readonly ReplaceableConv[];
  readonly skipped: readonly SkippedLayer[];
}

/** Reads the weights of every candidate, one after the other. Throws `cannot-rewrite` where nothing can be replaced. */
export function replaceableConvolutions(
  analysis: Analysis,
  convs: readonly ConvLayer[],
  patterns: LayerPatterns,
  wish: RewriteWish,
  writer: ModelWriter,
  algebra: LinearAlgebra,
): ReplaceableConvolutions {
  const { candidates } = assess(convs, wish.strategy, layerChoice(patterns));
  const replaceable: ReplaceableConv[] = [];
  const skipped: SkippedLayer[] = [];
  for (const { layer } of [...candidates].sort((a, b) => a.layer.index - b.layer.index)) {
    const energies =
      obstacleOf(layer, wish, writer) ?? (writer.hasWeights ? energiesOf(analysis, layer, wish, algebra) : null);
    if (typeof energies === 'string') skipped.push({ layer: layer.name, index: layer.index, reason: energies });
    else replaceable.push({ layer, energyByRank: energies });
  }
  if (replaceable.length === 0) throw nothingToReplace(skipped);
  return { replaceable, skipped };
}

/** A rank above 1 may need what rank 1 does not. */
const ANY_RANK = 2;

function obstacleOf(
  layer: ConvLayer,
  { strategy, between, rank, fitted }: RewriteWish,
  writer: ModelWriter,
): string | null {
  if (!isWeightType(layer.weightType)) return `its weights are quantised (${layer.weightType ?? 'of unknown type'})`;
  if (layer.node.kind !== 'conv') return `${layer.op} cannot be written as two`;
  const form = { rank: rank === 'auto' ? ANY_RANK : rank, between, bias: fitted };
  return writer.obstacle(shapedReplacement(layer, strategy, form));
}

function energiesOf(
  { read: { model }, facts }: Analysis,
  layer: ConvLayer,
  { strategy }: RewriteWish,
  algebra: LinearAlgebra,
): readonly number[] | string {
  const weights = convWeights(model, facts, layer);
  if (weights === null) return 'its weights are not in the file, or are computed from quantised ones';
  return energyByRank(weights, strategy.slices(layer), algebra) ?? 'its weights are not finite';
}

/** Layers that are named with their reasons; who has more knows how it goes on. */
const MAX_REASONS = 3;

function nothingToReplace(skipped: readonly SkippedLayer[]): DscAuditError {
  if (skipped.length === 0) {
    return new DscAuditError(
      'cannot-rewrite',
      'it has no convolution that is a candidate and is not excluded: dsc-audit tells why of each, --include takes more of them.',
    );
  }
  const shown = skipped.slice(0, MAX_REASONS).map(({ layer, reason }) => `'${layer}': ${reason}`);
  const reasons = skipped.length > MAX_REASONS ? [...shown, `and ${skipped.length - MAX_REASONS} more`] : shown;
  return new DscAuditError(
    'cannot-rewrite',
    `none of its ${skipped.length} candidates can be replaced: ${reasons.join('; ')}.`,
  );
}
