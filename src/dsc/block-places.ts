/** Where a strategy for blocks finds something to replace. */
import { type Dim, sameDim } from '../ir/dim.ts';
import type { Node, ValueId } from '../ir/graph.ts';
import type { WindowAttrs } from '../ir/operators.ts';
import type { CountedLayer } from '../passes/count-layers.ts';
import type { Facts } from '../passes/infer-facts.ts';
import type { Block, ConvUnit, Structures } from './blocks/index.ts';
import type { ConvLayer } from './conv-layer.ts';
import type { Replacement } from './projected-model.ts';
import { canCopyTail } from './projected-tail.ts';
import type { BlockStrategy } from './strategies/strategy.ts';

/** A chain of convolutions, and what would come in its place. */
export interface Place {
  /** Null for a convolution by itself. */
  readonly block: Block | null;
  /** The convolutions that go, in order. */
  readonly convs: readonly [ConvLayer, ...ConvLayer[]];
  /** Indices of all layers that go or are copied: norms and activations, too. */
  readonly layers: readonly number[];
  readonly replacement: Replacement;
}

/** The model, as far as places are looked for in it. */
export interface Surroundings {
  readonly convs: readonly ConvLayer[];
  readonly layers: readonly CountedLayer[];
  readonly structures: Structures;
  readonly facts: Facts;
}

/** Blocks whose convolutions stand in one chain, and that a strategy for single convolutions leaves whole. */
const CHAINS: ReadonlySet<Block['kind']> = new Set([
  'basic-residual',
  'bottleneck',
  'fire',
  'fused-inverted-residual',
  'inverted-residual',
]);

export interface Places {
  readonly places: readonly Place[];
  /** Convolutions that belong to a block which stays whole. */
  readonly inBlock: ReadonlySet<ConvLayer>;
}

/** Every place that has the right shape, in the model's order. */
export function placesFor(strategy: BlockStrategy, ratio: number, around: Surroundings): Places {
  const { structures, convs } = around;
  const byNode = new Map<Node, ConvLayer>(convs.map((conv) => [conv.node, conv]));
  const placeOf = placeFinder(strategy, ratio, around, byNode);
  const places: Place[] = [];
  const inBlock = new Set<ConvLayer>();
  for (const block of structures.blocks) {
    const place = strategy.kinds.has(block.kind) ? placeOf(block.units, block) : null;
    if (place !== null) places.push(place);
    else if (CHAINS.has(block.kind)) for (const { node } of block.units) add(inBlock, byNode.get(node));
  }
  if (strategy.replacesSingle) {
    const taken = new Set(places.flatMap((place) => place.convs));
    for (const unit of structures.units) {
      const conv = byNode.get(unit.node);
      if (conv === undefined || taken.has(conv) || inBlock.has(conv) || HALVES.has(conv.kind)) continue;
      const place = placeOf([unit], null);
      if (place !== null) places.push(place);
    }
  }
  return { places: places.sort((a, b) => a.convs[0].index - b.convs[0].index), inBlock };
}

/** Convolutions that a cheaper form of one is made of. */
const HALVES: ReadonlySet<ConvLayer['kind']> = new Set(['depthwise-conv', 'pointwise-conv']);

function add<T>(set: Set<T>, item: T | undefined): void {
  if (item !== undefined) set.add(item);
}

function placeFinder(
  strategy: BlockStrategy,
  ratio: number,
  { layers, facts }: Surroundings,
  byNode: ReadonlyMap<Node, ConvLayer>,
) {
  const indices = new Map(layers.flatMap(({ parts }, index) => parts.map(({ node }) => [node, index] as const)));
  return (units: readonly ConvUnit[], block: Block | null): Place | null => {
    const convs = units.flatMap(({ node }) => byNode.get(node) ?? []);
    const [first] = convs;
    const last = convs.at(-1);
    const window = windowOf(units, facts);
    const replaced = replacedBy(units);
    if (first === undefined || last === undefined || window === null || replaced === null) return null;
    if (convs.length < units.length || !areChained(units) || !isPlain(replaced, first.outChannels, facts)) return null;
    const own = new Set(replaced.flatMap(({ node, affine, activation }) => [node, ...affine, ...activation]));
    const places = [...new Set([...own].map((node) => indices.get(node) ?? -1))].sort((a, b) => a - b);
    // A layer of the file that does more, or that the model calls again, cannot be taken apart.
    if (!places.every((index) => layers[index]?.parts.every(({ node }) => own.has(node)))) return null;
    return {
      block,
      convs: [first, ...convs.slice(1)],
      layers: places,
      replacement: {
        replaced,
        ...window,
        weightType: first.weightType ?? 'float32',
        convs: strategy.convs({ inChannels: first.inChannels, outChannels: last.outChannels }, ratio),
      },
    };
  };
}

function replacedBy(units: readonly ConvUnit[]): Replacement['replaced'] | null {
  const [first, ...others] = units.flatMap(({ node, affine, activation }) =>
    node.kind === 'conv' ? [{ node, affine, activation }] : [],
  );
  return first === undefined ? null : [first, ...others];
}

/** Nothing stands between the convolutions. */
const areChained = (units: readonly ConvUnit[]): boolean =>
  units.every((unit, at) => at === 0 || units[at - 1]?.output === unit.input);

/** What follows the first can be copied for other channels, and the layout stays the same throughout. */
const isPlain = (replaced: Replacement['replaced'], channels: number, facts: Facts): boolean =>
  canCopyTail(replaced[0], facts, channels) &&
  replaced.every(({ affine }) => affine.every(({ kind }) => kind !== 'transpose'));

/**
 * The window that does to the map what all of them together do: that of the convolution that changes its extents, or of the
 * first with a window. A pointwise one that has the stride hands it over. Null where several change the extents, or none
 * has a window.
 */
function windowOf(
  units: readonly ConvUnit[],
  facts: Facts,
): { readonly kernel: readonly number[]; readonly window: WindowAttrs } | null {
  const steps = units.flatMap(({ node }) => (node.kind === 'conv' ? [windowStep(node, facts)] : []));
  if (!steps.every((step) => step !== null)) return null;
  const changing = steps.filter(({ changes }) => changes);
  const spatial = changing.find(({ hasWindow }) => hasWindow) ?? steps.find(({ hasWindow }) => hasWindow);
  const [other, ...more] = changing.filter((step) => step !== spatial);
  if (spatial === undefined || more.length > 0) return null;
  const { kernel, attrs } = spatial;
  if (other === undefined) return { kernel, window: attrs };
  const handsOver = !other.hasWindow && !spatial.changes;
  return handsOver ? { kernel, window: { ...attrs, strides: other.attrs.strides } } : null;
}

interface WindowStep {
  readonly attrs: WindowAttrs;
  readonly kernel: readonly number[];
  readonly hasWindow: boolean;
  readonly changes: boolean;
}

function windowStep({ attrs, inputs, outputs }: Node<'conv'>, { of: facts }: Facts): WindowStep | null {
  const extentsOf = (id: ValueId | null | undefined, isLast: boolean): readonly Dim[] | null => {
    const fact = facts[id ?? -1];
    const shape = fact?.type === 'tensor' ? fact.shape : null;
    return shape && (isLast ? shape.slice(1, -1) : shape.slice(2));
  };
  const before = extentsOf(inputs[0], attrs.channelsLast);
  const after = extentsOf(outputs[0], attrs.channelsLast);
  const weight = extentsOf(inputs[1], attrs.weightChannelsLast);
  if (before === null || after === null || weight === null) return null;
  const kernel = weight.filter((extent) => typeof extent === 'number');
  if (kernel.length !== weight.length || before.length !== after.length) return null;
  const changes = !before.every((extent, axis) => sameDim(extent, after[axis] ?? 0));
  const { kernel: asked, strides, dilations, padding } = attrs;
  const window = { kernel: asked, strides, dilations, padding };
  return { attrs: window, kernel, hasWindow: kernel.some((extent) => extent > 1), changes };
}
