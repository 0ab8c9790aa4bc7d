import { addDims, type Dim, floorDivideDims, isStatic, subtractDims } from '../ir/dim.ts';
import type { WindowAttrs } from '../ir/operators.ts';
import { ShapeConflict } from './op-def.ts';

/** The extent that a dilated kernel covers: (k − 1)·d + 1. */
export const effectiveKernel = (kernel: number, dilation: number): number => (kernel - 1) * dilation + 1;

/**
 * Output extent of a window that slides along an axis.
 *
 * Explicit padding: ⌊(in + pads − effective kernel) / stride⌋ + 1, or ⌈…⌉ + 1 in ceil mode without the windows that
 * would start in the padding behind. `same`: ⌈in / stride⌉. `valid`: no padding. (ONNX operators Conv and MaxPool)
 */
export function windowExtent(input: Dim, axis: number, kernel: number, attrs: WindowAttrs, ceil = false): Dim {
  const stride = attrs.strides[axis] ?? 1;
  const covered = effectiveKernel(kernel, attrs.dilations[axis] ?? 1);
  const { padding } = attrs;
  if (padding.mode === 'same-upper' || padding.mode === 'same-lower') return divideUp(input, stride);
  const [begin, end] = padding.mode === 'explicit' ? explicitPads(padding.pads, axis) : [0, 0];
  if (!Number.isSafeInteger(covered + begin + end)) throw new ShapeConflict('a window beyond all measure');
  const room = addDims(subtractDims(input, covered), begin + end);
  if (!ceil) return positions(room, floorDivide(room, stride));
  const extent = positions(room, divideUp(room, stride));
  if (!isStatic(extent) || !isStatic(input)) return extent;
  return (extent - 1) * stride >= input + begin ? extent - 1 : extent;
}

/** Pads before and behind as they are applied, once the input's extent is known. */
export function settledPads(
  input: number,
  axis: number,
  kernel: number,
  attrs: WindowAttrs,
): readonly [number, number] {
  const { padding } = attrs;
  if (padding.mode === 'explicit') return explicitPads(padding.pads, axis);
  if (padding.mode === 'valid') return [0, 0];
  const stride = attrs.strides[axis] ?? 1;
  const covered = effectiveKernel(kernel, attrs.dilations[axis] ?? 1);
  const total = Math.max(0, (Math.ceil(input / stride) - 1) * stride + covered - input);
  const small = Math.floor(total / 2);
  return padding.mode === 'same-upper' ? [small, total - small] : [total - small, small];
}

/** Pads are listed as all begins, then all ends; an empty list is no padding. */
function explicitPads(pads: readonly number[], axis: number): readonly [number, number] {
  return [pads[axis] ?? 0, pads[axis + pads.length / 2] ?? 0];
}

/** Rounded up, a window that is larger than the input by less than a stride still has one position. */
function positions(room: Dim, steps: Dim): Dim {
  if (isStatic(room) && room < 0 && !(isStatic(steps) && steps >= 0))
    throw new ShapeConflict('the kernel is larger than the padded input');
  return addDims(steps, 1);
}

function floorDivide(dividend: Dim, divisor: number): Dim {
  const quotient = floorDivideDims(dividend, divisor);
  if (quotient === null) throw new ShapeConflict('a stride of 0');
  return quotient;
}

function divideUp(dividend: Dim, divisor: number): Dim {
  return floorDivide(addDims(dividend, divisor - 1), divisor);
}
