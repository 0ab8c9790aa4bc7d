/** Blocks of positions and of channels for each other, and tensors side by side. */
import { stridesOf } from '../../ir/extents.ts';
import type { ValueId } from '../../ir/graph.ts';
import { planCopy } from '../plan/strided.ts';
import { shapeOf } from './analysed-model.ts';
import { inputOf, type NodePlanner } from './planner.ts';
import type { NetworkValues } from './values.ts';

/**
 * Copies with the axes of `extents`, of which the output has those in `order`: the input's element at (i₀, i₁, …) goes
 * where its coordinates, in that order, lead.
 */
function permute(
  values: NetworkValues,
  [input, output]: readonly [ValueId, ValueId],
  extents: readonly number[],
  order: readonly number[],
): void {
  const from = stridesOf(extents);
  const ordered = order.map((axis) => extents[axis] ?? 1);
  planCopy(
    values.builder,
    ordered,
    { place: values.plain(input).place, offset: 0, strides: order.map((axis) => from[axis] ?? 0) },
    { place: values.newPlain(output).place, offset: 0, strides: stridesOf(ordered) },
  );
}

const notAnImage = (shape: readonly number[]): string | null => (shape.length === 4 ? null : 'it is of no images');

export const planDepthToSpace: NodePlanner<'depthToSpace'> = {
  reject: (layer, { source }) => notAnImage(shapeOf(source, inputOf(layer, 0))),
  plan: (layer, values) => {
    const { block, depthFirst } = layer.node.attrs;
    const input = inputOf(layer, 0);
    const [items = 1, channels = 1, height = 1, width = 1] = values.shape(input);
    const each = channels / (block * block);
    if (depthFirst)
      permute(values, [input, layer.output], [items, block, block, each, height, width], [0, 3, 4, 1, 5, 2]);
    else permute(values, [input, layer.output], [items, each, block, block, height, width], [0, 1, 4, 2, 5, 3]);
    return 'copy';
  },
};

export const planSpaceToDepth: NodePlanner<'spaceToDepth'> = {
  reject: (layer, { source }) => notAnImage(shapeOf(source, inputOf(layer, 0))),
  plan: (layer, values) => {
    const { block } = layer.node.attrs;
    const input = inputOf(layer, 0);
    const [items = 1, channels = 1, height = 1, width = 1] = values.shape(input);
    const extents = [items, channels, height / block, block, width / block, block];
    permute(values, [input, layer.output], extents, [0, 3, 5, 1, 2, 4]);
    return 'copy';
  },
};

const MAX_COPIED_AXES = 6;

/** Each repeated axis is two: how often, and which element. */
function tiledAxes(shape: readonly number[], tiled: readonly number[]) {
  const strides = stridesOf(shape);
  const axes = shape.flatMap((extent, axis) => [
    { extent: (tiled[axis] ?? extent) / extent, stride: 0 },
    { extent, stride: strides[axis] ?? 0 },
  ]);
  return axes.filter(({ extent }) => extent !== 1);
}

export const planTile: NodePlanner<'tile' | 'tileAxis'> = {
  reject: (layer, { source }) => {
    const axes = tiledAxes(shapeOf(source, inputOf(layer, 0)), shapeOf(source, layer.output));
    return axes.length > MAX_COPIED_AXES ? 'it repeats too many axes' : null;
  },
  plan: (layer, values) => {
    const x = values.plain(inputOf(layer, 0));
    const axes = tiledAxes(x.shape, values.shape(layer.output));
    const extents = axes.map(({ extent }) => extent);
    planCopy(
      values.builder,
      extents,
      { place: x.place, offset: 0, strides: axes.map(({ stride }) => stride) },
      { place: values.newPlain(layer.output).place, offset: 0, strides: stridesOf(extents) },
    );
    return 'copy';
  },
};
