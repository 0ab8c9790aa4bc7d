import type { Node } from '../../ir/graph.ts';
import type { OpKind } from '../../ir/operators.ts';
import { after, before, type Channels, cut, fixed, type Segment, share, times } from './channels.ts';
import type { WidthScope } from './width-walk.ts';

/** How an operator follows another number of channels. */
type WidthRule<K extends OpKind> = (node: Node<K>, scope: WidthScope) => void;

type WidthRules = { readonly [K in OpKind]?: WidthRule<K> };

const segmentsOf = (channels: Channels | null, extent: number): readonly Segment[] =>
  channels?.segments ?? fixed(extent);

const product = (extents: readonly number[]): number => extents.reduce((all, extent) => all * extent, 1);

const fromEnd = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** One activation, whose channels stay where they are. */
const sameAxis: WidthRule<OpKind> = (node, scope) => {
  const channels = scope.input(0);
  if (channels) for (const [index] of node.outputs.entries()) scope.setOutput(index, channels.axis, channels.segments);
};

/** Nothing of the channels comes out. */
const absorbed = (): void => undefined;

/** Parameters a channel: one axis of the channels' extent, wherever it lies. */
function fitParameters(node: Node, scope: WidthScope, segments: readonly Segment[], from: number): void {
  for (let index = from; index < node.inputs.length; index++) {
    if (!scope.isConstantInput(index)) continue;
    const axis = scope.inputShape(index).findIndex((extent) => extent > 1 && extent === before(segments));
    if (axis >= 0) scope.resize(index, axis, segments);
  }
}

/** A norm or a quantisation, with parameters a channel. */
const withParameters: WidthRule<OpKind> = (node, scope) => {
  const channels = scope.input(0);
  if (!channels) return;
  fitParameters(node, scope, channels.segments, 1);
  scope.setOutput(0, channels.axis, channels.segments);
};

/** Operands broadcast as NumPy does: channels line up from the last axis. */
const elementwise: WidthRule<OpKind> = (node, scope) => {
  const rank = scope.outputShape(0).length;
  const operands = node.inputs.flatMap((id, index) => (id === null ? [] : [index]));
  const behind = operands.flatMap((index) => {
    const channels = scope.input(index);
    return channels ? [{ offset: scope.inputShape(index).length - channels.axis, segments: channels.segments }] : [];
  });
  const [first] = behind;
  if (first === undefined) return;
  if (behind.some(({ offset }) => offset !== first.offset)) scope.refuse('it joins channels on different axes');
  const lists = behind.map(({ segments }) => segments);
  for (const index of operands) {
    const shape = scope.inputShape(index);
    const extent = shape.at(-first.offset) ?? 1;
    if (scope.input(index) || extent === 1 || shape.length < first.offset) continue;
    if (scope.isConstantInput(index)) scope.resize(index, shape.length - first.offset, first.segments);
    else lists.push(fixed(extent));
  }
  const wide = lists.filter((segments) => before(segments) > 1);
  scope.tie(wide);
  scope.setOutput(0, rank - first.offset, wide[0] ?? first.segments);
};

const conv: WidthRule<'conv'> = (node, scope) => {
  const { groups, channelsLast, weightChannelsLast } = node.attrs;
  const weight = scope.inputShape(1);
  const [outChannels = 0] = weight;
  const inAxis = weightChannelsLast ? weight.length - 1 : 1;
  const input = segmentsOf(scope.input(0), (weight[inAxis] ?? 0) * groups);
  const output = groups === 1 ? scope.decide(outChannels, input) : grouped(scope, input, groups, outChannels);
  if (groups === 1) scope.resize(1, inAxis, input);
  scope.resize(1, 0, output);
  fitParameters(node, scope, output, 2);
  const rank = scope.outputShape(0).length;
  scope.setOutput(0, channelsLast ? rank - 1 : 1, output);
};

/** The width of a group stays, and their number follows the channels: depthwise is the width of 1. */
function grouped(
  scope: WidthScope,
  input: readonly Segment[],
  groups: number,
  outChannels: number,
): readonly Segment[] {
  const width = before(input) / groups;
  scope.divideBy(input, width);
  if (after(input) % width !== 0) scope.refuse(`${after(input)} channels make no groups of ${width}`);
  scope.setGroups(after(input) / width);
  if (width === 1) return times(input, outChannels / groups);
  const whole = share(input, outChannels / groups, width);
  return whole === null ? scope.refuse(`${after(input)} channels make no groups of ${width}`) : [whole];
}

const convTranspose: WidthRule<'convTranspose'> = (node, scope) => {
  const { groups } = node.attrs;
  const weight = scope.inputShape(1);
  const [inChannels = 0, perGroup = 0] = weight;
  const input = segmentsOf(scope.input(0), inChannels);
  const output = groups === 1 ? scope.decide(perGroup, input) : grouped(scope, input, groups, perGroup * groups);
  scope.resize(1, 0, input);
  if (groups === 1) scope.resize(1, 1, output);
  fitParameters(node, scope, output, 2);
  scope.setOutput(0, scope.input(0)?.axis ?? 1, output);
};

/** a · b with a constant b: the last axis of a is summed over. */
function dense(node: Node<'gemm' | 'matmul'>, scope: WidthScope, isPlain: boolean): void {
  const [left, right] = [scope.input(0), scope.input(1)];
  const shape = scope.inputShape(0);
  const weight = scope.inputShape(1);
  if (!scope.isConstantInput(1)) {
    if (left || right) scope.refuse('it multiplies activations with each other');
    return;
  }
  const isSummed = left?.axis === shape.length - 1;
  if (left && (weight.length < 2 || !isPlain)) scope.refuse('its operands are turned around');
  if (left && !isSummed) {
    scope.setOutput(0, left.axis, left.segments);
    return;
  }
  const [summed, put] = node.attrs.transposeB
    ? [weight.length - 1, weight.length - 2]
    : [weight.length - 2, weight.length - 1];
  const input = segmentsOf(left, weight[summed] ?? 0);
  const output = scope.decide(weight[put] ?? 0, input);
  scope.resize(1, summed, input);
  scope.resize(1, put, output);
  fitParameters(node, scope, output, 2);
  scope.setOutput(0, scope.outputShape(0).length - 1, output);
}

const concat: WidthRule<'concat'> = (node, scope) => {
  const operands = node.inputs.flatMap((id, index) => (id === null ? [] : [index]));
  const rank = scope.outputShape(0).length;
  const joined = fromEnd(node.attrs.axis, rank);
  const known = operands.map((index) => scope.input(index));
  const axis = known.find((channels) => channels !== null)?.axis;
  if (axis === undefined) return;
  if (known.some((channels) => channels !== null && channels.axis !== axis)) {
    scope.refuse('it joins channels on different axes');
  }
  const lists = operands.map((index, at) => segmentsOf(known[at] ?? null, scope.inputShape(index)[axis] ?? 0));
  if (axis !== joined) scope.tie(lists);
  scope.setOutput(0, axis, axis === joined ? lists.flat() : (lists[0] ?? []));
};

const split: WidthRule<'split'> = (node, scope) => {
  const channels = scope.input(0);
  if (!channels) return;
  const at = fromEnd(node.attrs.axis, scope.inputShape(0).length);
  const extents = node.outputs.map((_, index) => scope.outputShape(index)[at] ?? 0);
  if (at !== channels.axis) {
    sameAxis(node, scope);
    return;
  }
  const parts = cut(channels.segments, extents);
  if (parts === null) return scope.refuse('its parts are no whole numbers of channels any more');
  for (const [index, part] of parts.entries()) scope.setOutput(index, at, part);
  if (scope.integers(1)) scope.replaceIntegers(1, parts.map(after));
};

const slice: WidthRule<'slice'> = (_, scope) => {
  const channels = scope.input(0);
  if (!channels) return;
  const rank = scope.inputShape(0).length;
  const extent = before(channels.segments);
  const [starts, ends] = [scope.integers(1), scope.integers(2)];
  const axes = (scope.integers(3) ?? starts?.map((_start, axis) => axis))?.map((axis) => fromEnd(axis, rank));
  const at = axes?.indexOf(channels.axis) ?? -1;
  if (scope.outputShape(0)[channels.axis] === extent) {
    scope.setOutput(0, channels.axis, channels.segments);
    return;
  }
  const steps = scope.integers(4);
  if (at < 0 || !starts || !ends || (steps?.[at] ?? 1) !== 1)
    return scope.refuse('which channels it takes is computed');
  const start = Math.min(fromEnd(starts[at] ?? 0, extent), extent);
  const taken = scope.outputShape(0)[channels.axis] ?? 0;
  const parts = cut(channels.segments, [start, taken]);
  if (parts === null) return scope.refuse('it takes no whole number of channels any more');
  const [skipped = [], kept = []] = parts;
  scope.replaceIntegers(1, starts.with(at, after(skipped)));
  scope.replaceIntegers(2, ends.with(at, after(skipped) + after(kept)));
  scope.setOutput(0, channels.axis, kept);
};

const transpose: WidthRule<'transpose'> = ({ attrs }, scope) => {
  const channels = scope.input(0);
  if (!channels) return;
  const rank = scope.inputShape(0).length;
  const axis = attrs.permutation?.indexOf(channels.axis) ?? rank - 1 - channels.axis;
  scope.setOutput(0, axis, channels.segments);
};

/** Another shape for the same elements: the channels keep an axis, are merged with neighbours, or come apart in groups. */
const reshape: WidthRule<OpKind> = (node, scope) => {
  const channels = scope.input(0);
  if (!channels) return;
  const moved = reshaped(channels, scope.inputShape(0), scope.outputShape(0));
  if (moved === null) return scope.refuse('its shape has the number of channels written into it');
  if (moved.groups > 1) scope.divideBy(channels.segments, moved.groups);
  const segments = moved.segments();
  if (segments === null) return scope.refuse(`${after(channels.segments)} channels make no ${moved.groups} groups`);
  scope.setOutput(0, moved.axis, segments);
  const target = node.kind === 'reshape' ? scope.integers(1) : null;
  const written = target?.[moved.axis] ?? -1;
  if (target && written > 0) scope.replaceIntegers(1, target.with(moved.axis, after(segments)));
};

interface Moved {
  readonly axis: number;
  readonly groups: number;
  segments(): readonly Segment[] | null;
}

function reshaped({ axis, segments }: Channels, from: readonly number[], to: readonly number[]): Moved | null {
  const extent = before(segments);
  const outer = product(from.slice(0, axis));
  for (const [at, target] of to.entries()) {
    const start = product(to.slice(0, at));
    const end = start * target;
    const holdsAll = outer % start === 0 && end % (outer * extent) === 0;
    if (holdsAll && target >= extent) return { axis: at, groups: 1, segments: () => times(segments, target / extent) };
    const next = to[at + 1];
    if (start !== outer || next === undefined || target * next !== extent || target === 1) continue;
    // The smaller factor is the number of groups; the other follows.
    const groups = Math.min(target, next);
    const whole = () => {
      const one = share(segments, 1, groups);
      return one === null ? null : [one];
    };
    return { axis: target <= next ? at + 1 : at, groups, segments: whole };
  }
  return null;
}

const reduce: WidthRule<'argReduce' | 'reduce'> = (node, scope) => {
  const channels = scope.input(0);
  if (!channels) return;
  const shape = scope.inputShape(0);
  const listed = node.kind === 'argReduce' ? [node.attrs.axis] : scope.integers(1);
  const axes = (listed ?? shape.map((_, axis) => axis)).map((axis) => fromEnd(axis, shape.length));
  if (axes.includes(channels.axis)) return;
  const gone = node.attrs.keepDims ? 0 : axes.filter((axis) => axis < channels.axis).length;
  scope.setOutput(0, channels.axis - gone, channels.segments);
};

const gather: WidthRule<'gather'> = ({ attrs }, scope) => {
  const channels = scope.input(0);
  if (!channels) return;
  const axis = fromEnd(attrs.axis, scope.inputShape(0).length);
  if (axis === channels.axis) scope.refuse('it picks channels by number');
  const added = scope.inputShape(1).length - 1;
  scope.setOutput(0, channels.axis + (axis < channels.axis ? added : 0), channels.segments);
};

/** Extents of the output are written out in a constant input. */
const writtenExtents =
  (index: number): WidthRule<OpKind> =>
  (node, scope) => {
    const channels = scope.input(0);
    if (!channels) return;
    const target = scope.integers(index);
    const written = target?.[channels.axis];
    if (target && written === before(channels.segments) && written > 1) {
      scope.replaceIntegers(index, target.with(channels.axis, after(channels.segments)));
    }
    sameAxis(node, scope);
  };

const pad: WidthRule<'pad'> = (node, scope) => {
  const channels = scope.input(0);
  if (!channels) return;
  if (scope.outputShape(0)[channels.axis] !== before(channels.segments)) scope.refuse('it adds channels by number');
  sameAxis(node, scope);
};

/** Blocks of positions become channels, or the reverse. */
const depthAndSpace =
  (direction: 1 | -1): WidthRule<'depthToSpace' | 'spaceToDepth'> =>
  ({ attrs }, scope) => {
    const channels = scope.input(0);
    if (!channels) return;
    const block = attrs.block ** 2;
    if (direction > 0) {
      scope.setOutput(0, channels.axis, times(channels.segments, block));
      return;
    }
    scope.divideBy(channels.segments, block);
    const whole = share(channels.segments, 1, block);
    if (whole === null) return scope.refuse(`${after(channels.segments)} channels make no blocks of ${attrs.block}`);
    scope.setOutput(0, channels.axis, [whole]);
  };

/** Applies a node's rule; false where it has none. */
export function followWidths<K extends OpKind>(node: Node<K> & Node, scope: WidthScope): boolean {
  const rule: WidthRule<K> | undefined = WIDTH_RULES[node.kind];
  rule?.(node, scope);
  return rule !== undefined;
}

/** What is not listed cannot follow: a model that has it behind a convolution is refused there. */
const WIDTH_RULES: WidthRules = {
  conv,
  convTranspose,
  gemm: (node, scope) => dense(node, scope, !node.attrs.transposeA),
  matmul: (node, scope) => dense(node, scope, !node.attrs.transposeA && !node.attrs.rotateA && !node.attrs.rotateB),
  unary: sameAxis,
  clip: sameAxis,
  cast: sameAxis,
  identity: sameAxis,
  dropout: sameAxis,
  pool: sameAxis,
  globalPool: sameAxis,
  softmax: sameAxis,
  lrn: sameAxis,
  lpNorm: sameAxis,
  meanVarianceNorm: sameAxis,
  batchNorm: withParameters,
  instanceNorm: withParameters,
  layerNorm: withParameters,
  groupNorm: withParameters,
  quantize: withParameters,
  dequantize: withParameters,
  biasActivation: withParameters,
  prelu: elementwise,
  binary: elementwise,
  variadic: elementwise,
  where: elementwise,
  gatedActivation: elementwise,
  concat,
  split,
  slice,
  transpose,
  reshape,
  flatten: reshape,
  squeeze: reshape,
  unsqueeze: reshape,
  expand: writtenExtents(1),
  resize: writtenExtents(2),
  pad,
  reduce,
  argReduce: reduce,
  gather,
  depthToSpace: depthAndSpace(-1),
  spaceToDepth: depthAndSpace(1),
  shape: absorbed,
  size: absorbed,
};
