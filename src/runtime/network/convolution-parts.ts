/** What convolutions and transposed ones have in common. */
import type { ChannelAxis } from '../plan/repacking.ts';
import type { Layer } from './layer.ts';
import { heightAndWidth } from './layouts.ts';
import type { PlanContext } from './planner.ts';

type AnyConvolution = Layer<'conv'> | Layer<'convTranspose'>;

export const axisOf = ({ node }: AnyConvolution): ChannelAxis => (node.attrs.channelsLast ? 'last' : 'first');

/** The bias of each output channel, what is folded into the layer included; null where it has neither. */
export function biasOf(layer: Layer, context: PlanContext, index: number): (() => Float32Array) | null {
  const id = layer.node.inputs[index] ?? null;
  const { affine } = layer;
  if (id === null && affine === null) return null;
  return () => {
    const bias = id === null ? null : context.constants.weights(id);
    if (affine === null) return bias ?? new Float32Array(0);
    return affine.shift.map((shift, i) => shift + (bias?.[i] ?? 0) * (affine.scale[i] ?? 1));
  };
}

/** The window in the plane, from lists by spatial axis. */
export function windowOf(
  { node: { attrs } }: AnyConvolution,
  axes: number,
  { kernel, pads, extents }: Readonly<Record<'kernel' | 'pads' | 'extents', readonly number[]>>,
) {
  const plane = (values: readonly number[], otherwise: number): readonly [number, number] =>
    heightAndWidth(values.slice(Math.max(0, axes - 2)), axes, otherwise);
  const [kernelHeight, kernelWidth] = plane(kernel, 1);
  const [strideY, strideX] = plane(attrs.strides, 1);
  const [dilationY, dilationX] = plane(attrs.dilations, 1);
  const [padTop, padLeft] = plane(pads, 0);
  const [outHeight, outWidth] = plane(extents, 1);
  return {
    groups: attrs.groups,
    kernelHeight,
    kernelWidth,
    strideY,
    strideX,
    dilationY,
    dilationX,
    padTop,
    padLeft,
    outHeight,
    outWidth,
  };
}
