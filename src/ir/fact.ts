import type { Dim } from './dim.ts';
import type { DType } from './dtype.ts';

/** Extents outermost first; null where not even the rank is known. */
export type Shape = readonly Dim[];

/** One element of a tensor that shape arithmetic reads: an integer that may be symbolic, any number, or unknown. */
export type Element = Dim | null;

/** What is known of a tensor before anything is run. */
export interface TensorFact {
  readonly type: 'tensor';
  readonly dtype: DType | null;
  readonly shape: Shape | null;
  /** The elements in row-major order where they are tracked: small tensors that steer shapes. Each may be unknown. */
  readonly elements: readonly Element[] | null;
  /** The value depends on no input: it is computed once, when the model is loaded. */
  readonly constant: boolean;
}

/** A list of tensors. `items` where they are known one by one; `item` is what all of them have in common. */
export interface SequenceFact {
  readonly type: 'sequence';
  readonly item: TensorFact;
  readonly items: readonly TensorFact[] | null;
  readonly length: Dim | null;
}

export type Fact = TensorFact | SequenceFact;

/** Axes of one tensor. Runtimes stop at 8 to 32, NumPy at 64. */
export const MAX_RANK = 64;

/** Tensors of more elements than this are not tracked element by element: shapes are small. */
export const MAX_TRACKED_ELEMENTS = 4096;

export const UNKNOWN_TENSOR: TensorFact = { type: 'tensor', dtype: null, shape: null, elements: null, constant: false };

/** A tensor of which only type and shape are known. */
export function tensorFact(dtype: DType | null, shape: Shape | null): TensorFact {
  return { type: 'tensor', dtype, shape, elements: null, constant: false };
}

/** The extents of a tensor as plain numbers; null where one of them is unknown, and of what is no tensor. */
export function staticExtents(fact: Fact | null | undefined): readonly number[] | null {
  return fact?.type === 'tensor' ? staticShape(fact.shape) : null;
}

/** The shape as plain numbers; null where a dimension, or the rank, is unknown. */
export function staticShape(shape: Shape | null | undefined): readonly number[] | null {
  if (!shape) return null;
  const extents: number[] = [];
  for (const dim of shape) {
    if (typeof dim !== 'number') return null;
    extents.push(dim);
  }
  return extents;
}
