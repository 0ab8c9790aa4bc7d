import { type Dim, isStatic } from '../ir/dim.ts';
import { multiplyExact } from '../ir/exact.ts';
import { type Fact, tensorFact } from '../ir/fact.ts';
import type { SignalAttrs } from '../ir/operators.ts';
import type { Cost, CostContext, InferContext, OpFamily } from './op-def.ts';
import { extentAt, extentNumber, normaliseAxis, replaceAxis } from './shape-rules.ts';

/** The axis is one of the signal's; the last axis holds real and imaginary part. Operator set 20 counts from the end. */
const DEFAULT_AXIS = -2;

function inferDft(attrs: SignalAttrs['dft'], context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  if (shape === null) return [tensorFact(dtype, null)];
  const asked = attrs.axis ?? (context.isPresent(2) ? context.integers(2)?.[0] : DEFAULT_AXIS);
  if (asked === undefined)
    return [
      tensorFact(
        dtype,
        shape.map((_, axis) => context.dataDependent('spectrum', axis)),
      ),
    ];
  const axis = normaliseAxis(asked, shape.length);
  const length = context.isPresent(1) ? (context.integers(1)?.[0] ?? null) : extentAt(shape, axis);
  const bins = binsOf(attrs, length, context.isPresent(1)) ?? context.dataDependent('spectrum');
  const parts = attrs.inverse && attrs.oneSided ? 1 : 2;
  return [tensorFact(dtype, replaceAxis(replaceAxis(shape, axis, bins), shape.length - 1, parts))];
}

/** A real signal's spectrum is symmetric: ⌊n / 2⌋ + 1 bins tell it, and 2·(bins − 1) values come back. */
function binsOf({ oneSided, inverse }: SignalAttrs['dft'], length: Dim | null, asked: boolean): Dim | null {
  if (length === null || !oneSided) return length;
  if (!isStatic(length)) return null;
  if (!inverse) return Math.floor(length / 2) + 1;
  return asked ? length : 2 * (length - 1);
}

function inferStft({ oneSided }: SignalAttrs['stft'], context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  if (shape === null) return [tensorFact(dtype, null)];
  const step = context.integers(1)?.[0];
  const window = context.isPresent(2) ? context.tensor(2).shape?.[0] : undefined;
  const frame = (context.isPresent(3) ? context.integers(3)?.[0] : undefined) ?? window;
  const length = extentAt(shape, 1);
  if (step === undefined || step <= 0 || typeof frame !== 'number' || !isStatic(length)) {
    return [
      tensorFact(dtype, [extentAt(shape, 0), context.dataDependent('frames'), context.dataDependent('stft_bins'), 2]),
    ];
  }
  const bins = oneSided ? Math.floor(frame / 2) + 1 : frame;
  return [tensorFact(dtype, [extentAt(shape, 0), Math.max(0, Math.floor((length - frame) / step) + 1), bins, 2])];
}

/** The textbook count of a fast Fourier transform: 5·n·log₂(n) for n complex values. */
function fftFlops(transforms: number, length: number): number {
  return length <= 1 ? 0 : Math.ceil(multiplyExact(5, transforms, length) * Math.log2(length));
}

/** Points of each transform, and how many transforms: all other axes but the last. */
function dftCost(attrs: SignalAttrs['dft'], { inputs, outputs }: CostContext): Cost | null {
  const [signal, length, axisInput] = inputs;
  const output = outputs[0];
  const axis = attrs.axis ?? (axisInput ? axisInput.value : DEFAULT_AXIS);
  if (!signal || !output || axis === null || (length && length.value === null)) return null;
  const inverseHalf = attrs.inverse && attrs.oneSided;
  const points = length?.value ?? (inverseHalf ? extentNumber(output, axis) : extentNumber(signal, axis));
  const values = signal.elements / Math.max(1, extentNumber(signal, -1));
  const transforms = values / Math.max(1, extentNumber(signal, axis));
  return { macs: 0, otherFlops: fftFlops(transforms, points) };
}

function stftCost({ oneSided }: SignalAttrs['stft'], { inputs, outputs }: CostContext): Cost | null {
  const [, , window, frame] = inputs;
  const output = outputs[0];
  if (!output) return null;
  const frames = multiplyExact(extentNumber(output, 0), extentNumber(output, 1));
  const points = frame?.value ?? window?.elements ?? (oneSided ? null : extentNumber(output, 2));
  return points === null ? null : { macs: 0, otherFlops: fftFlops(frames, points) };
}

export const signalOps: OpFamily<SignalAttrs> = {
  dft: { kind: 'other', roles: {}, infer: inferDft, cost: dftCost },
  // A window is chosen, and not learned.
  stft: { kind: 'other', roles: {}, infer: inferStft, cost: stftCost },
};
