import type { Graph, Node, ValueId } from '../../ir/graph.ts';
import type { OpKind } from '../../ir/operators.ts';
import type { CountedLayer } from '../../passes/count-layers.ts';
import { valuesRead } from '../../passes/walk.ts';
import type { ConvLayer } from '../conv-layer.ts';

/** Who computes and who reads each activation of the model's own graph; bodies of control flow are single steps. */
export interface Flow {
  readonly steps: readonly FlowStep[];
  /** The step that computes a value; none for the model's inputs. */
  producerOf(value: ValueId): FlowStep | null;
  /** The steps that read a value. An output of the graph has a reader outside of it: see `isOutput`. */
  readersOf(value: ValueId): readonly FlowStep[];
  isOutput(value: ValueId): boolean;
  /** Layers that hand a value on unchanged: casts and the like, which are no steps. */
  bypassedBehind(value: ValueId): readonly number[];
}

export interface FlowStep {
  /** The layer's place in the report. */
  readonly index: number;
  readonly node: Node;
  readonly conv: ConvLayer | null;
  /** Activations that it reads, each once, in the order of the operator's inputs; and those that it computes. */
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
}

/** Operators that leave values as they are: what reads them reads what they read. */
const BYPASSED: ReadonlySet<OpKind> = new Set(['cast', 'dropout', 'identity']);

export function flowOf(graph: Graph, layers: readonly CountedLayer[], convs: readonly ConvLayer[]): Flow {
  const convByIndex = new Map(convs.map((conv) => [conv.index, conv]));
  const own = new Set(graph.nodes);
  const same = new Map<ValueId, ValueId>();
  const sameAs = (id: ValueId): ValueId => same.get(id) ?? id;
  const bypassed = new Map<ValueId, number[]>();
  const steps: FlowStep[] = [];
  for (const [index, layer] of layers.entries()) {
    if (!own.has(layer.node)) continue;
    const [input] = layer.inputs;
    const [output] = layer.outputs;
    if (BYPASSED.has(layer.node.kind) && layer.inputs.length === 1 && input !== undefined && output !== undefined) {
      same.set(output, sameAs(input));
      append(bypassed, sameAs(input), index);
      continue;
    }
    const inputs = [...new Set(activationsRead(layer).map(sameAs))];
    steps.push({ index, node: layer.node, conv: convByIndex.get(index) ?? null, inputs, outputs: layer.outputs });
  }
  const producers = new Map<ValueId, FlowStep>();
  const readers = new Map<ValueId, FlowStep[]>();
  for (const step of steps) {
    for (const id of step.outputs) producers.set(id, step);
    for (const id of step.inputs) append(readers, id, step);
  }
  const outputs = new Set(graph.outputs.map(sameAs));
  return {
    steps,
    producerOf: (value) => producers.get(value) ?? null,
    readersOf: (value) => readers.get(value) ?? [],
    isOutput: (value) => outputs.has(value),
    bypassedBehind: (value) => bypassed.get(value) ?? [],
  };
}

/** Inputs without constants, and what bodies take from the graph around them. */
function activationsRead({ node, inputs }: CountedLayer): readonly ValueId[] {
  const activations = new Set(inputs);
  return valuesRead(node).filter((id) => activations.has(id) || !node.inputs.includes(id));
}

function append<K, V>(lists: Map<K, V[]>, key: K, item: V): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

/** The only step that reads a value; null where there are several, or the graph itself hands it out. */
export function onlyReader(flow: Flow, value: ValueId): FlowStep | null {
  const readers = flow.readersOf(value);
  return readers.length === 1 && !flow.isOutput(value) ? (readers[0] ?? null) : null;
}
