import type { StoredWeight, WeightKey, WeightStore } from './weights.ts';

export interface NamedWeight {
  /** As the file has it: `conv1/kernel:0`, `bidirectional/forward_lstm/lstm_cell/kernel:0`. */
  readonly name: string;
  readonly stored: StoredWeight;
}

/**
 * Weights by the names that Keras 2 and TensorFlow.js give them, which tell the layer and what the weight is, but call
 * layers within a layer by names of their own: weights of one layer with the same last name are told apart by order.
 *
 * @param weightsOf the weights among which those of a path lie; the same list each time, since it is looked up in
 */
export function namedWeights(weightsOf: (path: readonly string[]) => readonly NamedWeight[]): WeightStore {
  const taken = new Set<NamedWeight>();
  const indices = new Map<readonly NamedWeight[], WeightIndex>();
  const indexOf = (path: readonly string[]): WeightIndex => {
    const weights = weightsOf(path);
    const known = indices.get(weights) ?? indexed(weights);
    indices.set(weights, known);
    return known;
  };
  return {
    find({ path, name }: WeightKey) {
      const last = name.split('/').at(-1) ?? '';
      const { byLast } = indexOf(path);
      const isCalled = (called: string) => byLast.get(called)?.get(path.length === 1 ? ANY : (path.at(-1) ?? ''));
      // Keras 3 calls a depthwise kernel just a kernel.
      const found = nextFree(isCalled(last), taken) ?? nextFree(isCalled(last.replace(/^depthwise_/, '')), taken);
      if (found === null) return null;
      taken.add(found);
      return found.stored;
    },
    heldBy(path) {
      const { all, byPart } = indexOf(path);
      const held = path.length === 1 ? all : (byPart.get(path.at(-1) ?? '') ?? []);
      return held.map(({ stored }) => stored);
    },
  };
}

/** Files name hundreds of thousands of weights, and each is asked for by itself. */
interface WeightIndex {
  readonly all: readonly NamedWeight[];
  /** By any part of their names. */
  readonly byPart: ReadonlyMap<string, readonly NamedWeight[]>;
  /** By the last part, then by any part, or {@link ANY}. */
  readonly byLast: ReadonlyMap<string, ReadonlyMap<string | typeof ANY, Queue>>;
}

/** Weights in the file's order; those before `next` are taken. */
interface Queue {
  readonly weights: NamedWeight[];
  next: number;
}

const ANY = Symbol('any');

function indexed(all: readonly NamedWeight[]): WeightIndex {
  const byPart = new Map<string, NamedWeight[]>();
  const byLast = new Map<string, Map<string | typeof ANY, Queue>>();
  for (const weight of all) {
    const parts = partsOf(weight.name);
    const last = parts.at(-1) ?? '';
    const queues = byLast.get(last) ?? new Map<string | typeof ANY, Queue>();
    byLast.set(last, queues);
    for (const part of new Set<string | typeof ANY>([ANY, ...parts])) {
      const queue = queues.get(part) ?? { weights: [], next: 0 };
      queue.weights.push(weight);
      queues.set(part, queue);
    }
    for (const part of new Set(parts)) {
      const holders = byPart.get(part) ?? [];
      holders.push(weight);
      byPart.set(part, holders);
    }
  }
  return { all, byPart, byLast };
}

function nextFree(queue: Queue | undefined, taken: ReadonlySet<NamedWeight>): NamedWeight | null {
  if (queue === undefined) return null;
  for (; queue.next < queue.weights.length; queue.next++) {
    const weight = queue.weights[queue.next];
    if (weight !== undefined && !taken.has(weight)) return weight;
  }
  return null;
}

/** Without the number of the output that TensorFlow writes behind. */
const partsOf = (name: string): readonly string[] => name.replace(/:\d+$/, '').split('/');
