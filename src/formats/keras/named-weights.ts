import type { StoredWeight, WeightKey, WeightStore } from './weights.ts';

export interface NamedWeight {
  /** As the file has it: `conv1/kernel:0`, `bidirectional/forward_lstm/lstm_cell/kernel:0`. */
  readonly name: string;
  readonly stored: StoredWeight;
}

/**
 * Weights by the names that Keras 2 and TensorFlow.js give them, which tell the layer and what the weight is, but call
 * layers within a layer by names of their own: weights of one layer with the same last name are told apart by order.
 */
export function namedWeights(weightsOf: (layer: string) => readonly NamedWeight[]): WeightStore {
  const taken = new Set<NamedWeight>();
  return {
    find({ path, name }: WeightKey) {
      const [outermost = ''] = path;
      const layer = path.at(-1) ?? '';
      const last = name.split('/').at(-1) ?? '';
      const free = weightsOf(outermost)
        .map((weight) => ({ weight, parts: partsOf(weight.name) }))
        .filter(({ weight, parts }) => !taken.has(weight) && (path.length === 1 || parts.includes(layer)));
      // Keras 3 calls a depthwise kernel just a kernel.
      const isCalled = (called: string) => free.find(({ parts }) => parts.at(-1) === called)?.weight;
      const found = isCalled(last) ?? isCalled(last.replace(/^depthwise_/, ''));
      if (found === undefined) return null;
      taken.add(found);
      return found.stored;
    },
    heldBy(path) {
      const [outermost = ''] = path;
      const layer = path.at(-1) ?? '';
      return weightsOf(outermost)
        .filter(({ name }) => path.length === 1 || partsOf(name).includes(layer))
        .map(({ stored }) => stored);
    },
  };
}

/** Without the number of the output that TensorFlow writes behind. */
const partsOf = (name: string): readonly string[] => name.replace(/:\d+$/, '').split('/');
