import type { ValueId } from '../../../ir/graph.ts';
import type { LayerCall } from '../layer-call.ts';

/** To how many positions along each axis. */
export type ResizeTarget =
  | { readonly type: 'scales'; readonly factors: readonly number[] }
  | { readonly type: 'sizes'; readonly extents: readonly number[] };

export const scaleBy = (factors: readonly number[]): ResizeTarget => ({ type: 'scales', factors });
export const resizeTo = (extents: readonly number[]): ResizeTarget => ({ type: 'sizes', extents });

/** Keras's interpolations that the graph's operator has. */
const MODES = {
  nearest: { mode: 'nearest', coordinates: 'half_pixel', nearest: 'floor' },
  bilinear: { mode: 'linear', coordinates: 'half_pixel', nearest: 'floor' },
  bicubic: { mode: 'cubic', coordinates: 'half_pixel', nearest: 'floor' },
} as const;

/** Keys's cubic, and weights of what lies outside shared out among the rest, as TensorFlow has them. */
const AS_TENSORFLOW = {
  policy: 'stretch',
  cubicCoefficient: -0.5,
  excludesOutside: true,
  antialiases: false,
} as const;

type Interpolation = keyof typeof MODES;

const isInterpolation = (name: string): name is Interpolation => Object.hasOwn(MODES, name);

/** Other interpolations (Lanczos, area, Gaussian) tell the shape, and nothing of their cost. */
export function resize(
  call: LayerCall,
  x: ValueId,
  interpolation: string,
  axes: readonly number[],
  target: ResizeTarget,
): ValueId {
  const name = interpolation.toLowerCase();
  const known = isInterpolation(name);
  const attrs = { ...MODES[known ? name : 'nearest'], ...AS_TENSORFLOW, axes } as const;
  const scales = target.type === 'scales' ? call.numbers(target.factors, undefined, 'float32') : null;
  const sizes = target.type === 'sizes' ? call.integers(target.extents) : null;
  const resized = call.node({ kind: 'resize', attrs }, x, scales, sizes);
  return known ? resized : call.unknownLike(resized);
}
