import type { Graph, Node, ValueId } from '../../ir/graph.ts';
import type { OpKind } from '../../ir/operators.ts';
import { convGeometry } from '../../ops/convolution.ts';
import { opDef } from '../../ops/index.ts';
import type { LayerKind } from '../../ops/op-def.ts';
import type { CountedLayer } from '../../passes/count-layers.ts';
import type { Facts } from '../../passes/infer-facts.ts';
import { isConstant, liveNodes } from '../../passes/live-nodes.ts';
import { valuesRead } from '../../passes/walk.ts';

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
  /** Its place among the steps. */
  readonly index: number;
  /** The place of its layer in the report: several steps may be one layer. */
  readonly layer: number;
  readonly node: Node;
  readonly conv: ConvShape | null;
  /** Activations that it reads, each once, in the order of the operator's inputs; and those that it computes. */
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
}

/** What blocks are told apart by. */
export interface ConvShape {
  readonly kind: LayerKind;
  readonly inChannels: number;
  readonly outChannels: number;
}

/** Operators that leave values as they are: what reads them reads what they read. */
const BYPASSED: ReadonlySet<OpKind> = new Set(['cast', 'dropout', 'identity']);

export function flowOf(graph: Graph, layers: readonly CountedLayer[], facts: Facts): Flow {
  const layerOf = new Map(layers.flatMap(({ parts }, layer) => parts.map(({ node }) => [node, layer] as const)));
  const same = new Map<ValueId, ValueId>();
  const sameAs = (id: ValueId): ValueId => same.get(id) ?? id;
  const bypassed = new Map<ValueId, number[]>();
  const steps: FlowStep[] = [];
  for (const node of liveNodes(graph, facts).nodes) {
    const layer = layerOf.get(node);
    if (layer === undefined) continue;
    const inputs = [
      ...new Set(
        valuesRead(node)
          .filter((id) => !isConstant(id, facts))
          .map(sameAs),
      ),
    ];
    const outputs = node.outputs.filter((id) => id !== null);
    const [input] = inputs;
    const [output] = outputs;
    if (BYPASSED.has(node.kind) && inputs.length === 1 && input !== undefined && output !== undefined) {
      same.set(output, input);
      append(bypassed, input, layer);
      continue;
    }
    steps.push({ index: steps.length, layer, node, conv: convShape(node, facts), inputs, outputs });
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

function convShape(node: Node, facts: Facts): ConvShape | null {
  if (node.kind !== 'conv') return null;
  const inputs = node.inputs.map((id) => (id === null ? null : (facts.of[id] ?? null)));
  const geometry = convGeometry(node.attrs, inputs[1]);
  const { kind } = opDef('conv');
  return geometry && { ...geometry, kind: typeof kind === 'string' ? kind : kind(node.attrs, inputs) };
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
