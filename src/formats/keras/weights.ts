import type { DType } from '../../ir/dtype.ts';
import type { TensorData } from '../../ir/graph.ts';

/** Which weight of which layer. */
export interface WeightKey {
  /** The models around the layer and the layer itself, outermost first. */
  readonly path: readonly string[];
  /** `kernel`; of a layer within another, with the names that Keras keeps it under: `forward_layer/cell/kernel`. */
  readonly name: string;
}

export interface StoredWeight {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** The weights that come with a model. */
export interface WeightStore {
  /** Null where there is no such weight. */
  find(key: WeightKey): StoredWeight | null;
  /** Everything that the file holds for a layer, for one that nobody knows. */
  heldBy(path: readonly string[]): readonly StoredWeight[];
}

/** A model's graph without its weights. */
export const NO_WEIGHTS: WeightStore = { find: () => null, heldBy: () => [] };

/** The elements in another order of axes, computed when they are read. */
export function permuted(
  data: TensorData,
  shape: readonly number[],
  permutation: readonly number[],
  elementBytes: number,
): TensorData {
  return {
    byteLength: data.byteLength,
    read() {
      const bytes = data.read();
      return bytes === null ? null : permuteBytes(bytes, shape, permutation, elementBytes);
    },
  };
}

function permuteBytes(
  source: Uint8Array,
  shape: readonly number[],
  permutation: readonly number[],
  elementBytes: number,
): Uint8Array {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, extent) => product * extent, 1));
  const target = new Uint8Array(source.length);
  const extents = permutation.map((axis) => shape[axis] ?? 1);
  const steps = permutation.map((axis) => (strides[axis] ?? 1) * elementBytes);
  const position = extents.map(() => 0);
  let from = 0;
  for (let to = 0; to < target.length; to += elementBytes) {
    for (let byte = 0; byte < elementBytes; byte++) target[to + byte] = source[from + byte] ?? 0;
    // Like an odometer: the last axis turns first.
    for (let axis = extents.length - 1; axis >= 0; axis--) {
      const step = steps[axis] ?? 0;
      const next = (position[axis] ?? 0) + 1;
      from += step;
      if (next < (extents[axis] ?? 1)) {
        position[axis] = next;
        break;
      }
      from -= step * next;
      position[axis] = 0;
    }
  }
  return target;
}
