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

/** Whether a weight of the outermost layer's is the kernel of the layer at a path within. */
export function isKernelOf(name: string, path: readonly string[]): boolean {
  const parts = partsOf(name);
  return parts.at(-1) === 'kernel' && (path.length === 1 || parts.slice(0, -1).includes(path.at(-1) ?? ''));
}

/** Whether it is the kernel or the bias of the convolution at a path. */
export const isConvWeightOf = (name: string, path: readonly string[]): boolean =>
  isKernelOf(name.replace(/(^|\/)bias(:\d+)?$/, '$1kernel'), path);

/** What a weight of a layer is called that takes the place of the one at `path`, after that one's kernel. */
export function newName(kernel: string, path: readonly string[], layer: string, weight: string): string {
  const [, holder = '', behind = ''] = /^(.*\/)?kernel(:\d+)?$/.exec(kernel) ?? [];
  const parts = holder.split('/').map((part) => (part === path.at(-1) ? layer : part));
  return `${parts.join('/')}${weight}${behind}`;
}

/** Without the number of the output that TensorFlow writes behind. */
const partsOf = (name: string): readonly string[] => name.replace(/:\d+$/, '').split('/');
