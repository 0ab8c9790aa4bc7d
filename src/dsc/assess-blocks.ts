import { addExact, addKnown } from '../ir/exact.ts';
import type { Model, Node } from '../ir/graph.ts';
import { type CountedLayer, countLayers } from '../passes/count-layers.ts';
import { type Place, placesFor, type Surroundings } from './block-places.ts';
import type { ConvLayer } from './conv-layer.ts';
import { type LayerChoice, type RejectionReason, rejectionOf } from './eligibility.ts';
import { projectedModel } from './projected-model.ts';
import type { BlockStrategy, ConvFigures } from './strategies/strategy.ts';

/** What a place costs, with the bytes that its layers read and write. */
export interface PlaceFigures extends ConvFigures {
  /** Inputs and weights read, outputs written, each layer by itself; null where an extent is not known. */
  readonly bytesMoved: number | null;
}

/** A place with what it costs now and what would come instead: convolutions, norms and activations. */
export interface ReplacedPlace extends Place {
  readonly before: PlaceFigures;
  readonly after: PlaceFigures;
}

export interface BlockRejection {
  readonly layer: ConvLayer;
  readonly reason: RejectionReason;
  /** The place that it is in, where that was counted and saves nothing. */
  readonly place: ReplacedPlace | null;
}

export interface BlockAssessment {
  /** Ranked by MACs saved. */
  readonly candidates: readonly ReplacedPlace[];
  /** In the model's order. */
  readonly rejected: readonly BlockRejection[];
}

/** Gives every convolution its verdict under a strategy for blocks. A candidate needs fewer parameters and fewer MACs. */
export function assessBlocks(
  model: Model,
  around: Surroundings,
  strategy: BlockStrategy,
  ratio: number,
  choice: LayerChoice,
): BlockAssessment {
  const { places, inBlock } = placesFor(strategy, ratio, around);
  const reasons = new Map<ConvLayer, RejectionReason>();
  const open = places.filter(({ convs }) => {
    const reason = obstacleOf(convs, choice);
    if (reason !== null) for (const conv of convs) reasons.set(conv, reason);
    return reason === null;
  });
  const counted = countPlaces(model, around, open);
  const candidates = counted.filter(saves);
  const lost = new Map<ConvLayer, ReplacedPlace>();
  for (const place of counted) if (!saves(place)) for (const conv of place.convs) lost.set(conv, place);
  const taken = new Set(candidates.flatMap(({ convs }) => convs));
  const rejected = around.convs
    .filter((conv) => !taken.has(conv))
    .map((layer): BlockRejection => {
      const place = lost.get(layer) ?? null;
      const known = place === null ? (reasons.get(layer) ?? rejectionOf(layer, choice)) : 'no-saving';
      return { layer, reason: known ?? (inBlock.has(layer) ? 'in-block' : 'no-block'), place };
    });
  return { candidates: [...candidates].sort(bySavedMacs), rejected };
}

/** What speaks against one of its convolutions speaks against all. Pointwise and depthwise ones are parts of blocks. */
function obstacleOf(convs: Place['convs'], choice: LayerChoice): RejectionReason | null {
  const reasons = convs.map((conv) => rejectionOf(conv, choice));
  return reasons.find((reason) => reason !== null && reason !== 'pointwise' && reason !== 'depthwise') ?? null;
}

const savedMacs = ({ before, after }: ReplacedPlace): number =>
  before.macs === null || after.macs === null ? 0 : before.macs - after.macs;

const bySavedMacs = (a: ReplacedPlace, b: ReplacedPlace): number =>
  savedMacs(b) - savedMacs(a) || a.convs[0].index - b.convs[0].index;

const saves = (place: ReplacedPlace): boolean =>
  place.after.params < place.before.params && (place.before.macs === null || savedMacs(place) > 0);

/** Counts what stands at each place, in the model and in the graph with all of them replaced. */
function countPlaces(
  model: Model,
  { layers, facts }: Surroundings,
  places: readonly Place[],
): readonly ReplacedPlace[] {
  if (places.length === 0) return [];
  const projected = projectedModel(
    model,
    facts,
    places.map(({ replacement }) => replacement),
  );
  const after = new Map<Node, CountedLayer>(
    countLayers(projected.model, projected.facts).layers.map((layer) => [layer.node, layer]),
  );
  return places.map((place) => ({
    ...place,
    before: sumOf(place.layers.flatMap((at) => layers[at] ?? [])),
    after: sumOf((projected.nodes.get(place.replacement) ?? []).flatMap((node) => after.get(node) ?? [])),
  }));
}

/** A weight that several of them read counts once, and also where a layer elsewhere reads it, too. */
function sumOf(layers: readonly CountedLayer[]): PlaceFigures {
  const read = layers.flatMap((layer) => layer.weights);
  const weights = [...new Map(read.map((weight) => [weight.id, weight])).values()];
  const weightBytes = addExact(...weights.map(({ bytes }) => bytes));
  const flops = addKnown(layers.map((layer) => layer.flops));
  return {
    params: addExact(...weights.map(({ elements }) => elements)),
    macs: addKnown(layers.map(({ macs }) => macs)),
    flops,
    weightBytes,
    bytesMoved: addKnown([...layers.flatMap(({ inputBytes, outputBytes }) => [inputBytes, outputBytes]), weightBytes]),
  };
}
