import { addKnown } from '../ir/exact.ts';
import type { FileLayer, ValueId } from '../ir/graph.ts';
import type { LayerKind } from '../ops/op-def.ts';
import type { CountedLayer } from './count-layers.ts';
import type { Weight } from './trace-weights.ts';

/** What joining asks of the count. */
interface JoinContext {
  /** Bytes of some activations together; null where one has no known size. */
  bytesOf(ids: readonly ValueId[]): number | null;
  /** Weights that a layer of the file holds beside those that its nodes read. */
  furtherWeights(ids: readonly ValueId[]): readonly Weight[];
}

/** What a layer is called after, of all the kinds that its parts have: the first of these. */
const TELLING: readonly LayerKind[] = [
  'attention',
  'recurrent',
  'conv-transpose',
  'depthwise-conv',
  'grouped-conv',
  'standard-conv',
  'pointwise-conv',
  'dense',
  'matmul',
  'norm',
  'pool',
  'reduce',
  'activation',
  'elementwise',
  'reshape',
];

/** Puts nodes that came from one layer of the file together, in the place of its first; others stay by themselves. */
export function joinLayers(counted: readonly CountedLayer[], context: JoinContext): readonly CountedLayer[] {
  const byLayer = new Map<FileLayer, CountedLayer[]>();
  const places: (FileLayer | CountedLayer)[] = [];
  for (const part of counted) {
    const { layer } = part.node;
    const known = layer && byLayer.get(layer);
    if (known) known.push(part);
    else if (layer) {
      byLayer.set(layer, [part]);
      places.push(layer);
    } else places.push(part);
  }
  return places.map((place) => ('node' in place ? place : joined(place, byLayer.get(place) ?? [], context)));
}

function joined(layer: FileLayer, parts: readonly CountedLayer[], context: JoinContext): CountedLayer {
  const [first, ...others] = parts;
  if (first === undefined) throw new Error('A layer of no nodes.');
  const main = others.reduce((best, part) => (rank(part) < rank(best) ? part : best), first);
  const made = new Set(parts.flatMap(({ outputs }) => outputs));
  const inputs = [...new Set(parts.flatMap((part) => part.inputs))].filter((id) => !made.has(id));
  const outputs = layer.outputs.filter((id) => made.has(id));
  const further = context.furtherWeights(layer.weights);
  return {
    node: main.node,
    parts: parts.flatMap((part) => part.parts),
    kind: main.kind,
    repeats: layer.calls,
    inputs,
    outputs,
    macs: addKnown(parts.map(({ macs }) => macs)),
    flops: addKnown(parts.map(({ flops }) => flops)),
    inputBytes: context.bytesOf(inputs),
    outputBytes: context.bytesOf(outputs),
    weights: [...distinct(parts.flatMap(({ weights }) => weights)), ...further],
    ownWeights: [...parts.flatMap(({ ownWeights }) => ownWeights), ...further],
  };
}

function rank({ kind }: CountedLayer): number {
  const place = TELLING.indexOf(kind);
  return place < 0 ? TELLING.length : place;
}

function distinct(weights: readonly Weight[]): readonly Weight[] {
  return [...new Map(weights.map((weight) => [weight.id, weight])).values()];
}
