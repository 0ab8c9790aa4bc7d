import type { DType } from '../ir/dtype.ts';
import { tensorFact } from '../ir/fact.ts';
import type { Constant, ConstantOrigin, Model, Value, ValueId } from '../ir/graph.ts';
import type { Facts } from '../passes/infer-facts.ts';
import { isConstant } from '../passes/live-nodes.ts';

/** The values of a model and what is known of them, growing by those of a projection. */
export class ProjectedValues {
  readonly all: Value[];
  readonly facts: Facts['of'][number][];
  readonly #known: Facts;

  constructor(model: Model, known: Facts) {
    this.all = [...model.values];
    this.facts = [...known.of];
    this.#known = known;
  }

  isConstant(id: ValueId): boolean {
    return isConstant(id, this.#known);
  }

  /** An activation of the same extents as another, with other channels. */
  activation(name: string, like: ValueId, channelAxis: number, channels: number): ValueId {
    const fact = this.facts[like];
    const shape = fact?.type === 'tensor' ? (fact.shape ?? null) : null;
    const dtype = fact?.type === 'tensor' ? fact.dtype : null;
    const changed = shape?.map((extent, axis) => (axis === channelAxis ? channels : extent)) ?? null;
    return this.#add({ name, constant: null, declared: null }, tensorFact(dtype, changed));
  }

  /** A weight that is not there yet; of the same origin as another, so that it counts as that one does. */
  weight(name: string, shape: readonly number[], dtype: DType, like: ValueId | null): ValueId {
    const constant = shapeOnly(shape, dtype, this.#originOf(like));
    return this.#add({ name, constant, declared: null }, { ...tensorFact(dtype, shape), constant: true });
  }

  dtypeOf(id: ValueId | null): DType | null {
    const fact = this.facts[id ?? -1];
    return fact?.type === 'tensor' ? fact.dtype : null;
  }

  #originOf(id: ValueId | null): ConstantOrigin {
    return this.all[id ?? -1]?.constant?.origin ?? 'initializer';
  }

  #add(value: Value, fact: Facts['of'][number]): ValueId {
    const id = this.all.push(value) - 1;
    this.facts[id] = fact;
    return id;
  }
}

const shapeOnly = (shape: readonly number[], dtype: DType, origin: ConstantOrigin): Constant => ({
  dtype,
  shape,
  origin,
  data: { byteLength: 0, read: () => null },
});
