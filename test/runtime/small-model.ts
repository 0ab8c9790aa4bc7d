/** Small models written down by hand, and the runtime's answer to them. */
import { staticShape, tensorFact } from '../../src/ir/fact.ts';
import type { Model, Node, Value, ValueId } from '../../src/ir/graph.ts';
import type { OpAttrs, OpKind } from '../../src/ir/operators.ts';
import { inferFacts } from '../../src/passes/infer-facts.ts';
import { type AnalysedModel, analysedModel } from '../../src/runtime/network/analysed-model.ts';
import { createRuntime, type Runtime, type RuntimeTensor } from '../../src/runtime/runtime.ts';

export class SmallModel {
  private readonly values: Value[] = [];
  private readonly nodes: Node[] = [];
  private readonly inputs: ValueId[] = [];
  private readonly inputShapes = new Map<ValueId, readonly number[]>();
  private readonly outputs: ValueId[] = [];

  input(name: string, shape: readonly number[]): ValueId {
    const id = this.add({ name, constant: null, declared: null });
    this.inputs.push(id);
    this.inputShapes.set(id, shape);
    return id;
  }

  constant(shape: readonly number[], data: Float32Array): ValueId {
    const bytes = new Uint8Array(data.slice().buffer);
    return this.add({
      name: `constant_${this.values.length}`,
      constant: {
        dtype: 'float32',
        shape,
        origin: 'initializer',
        data: { byteLength: bytes.length, read: () => bytes },
      },
      declared: null,
    });
  }

  integers(values: readonly number[], shape: readonly number[] = [values.length]): ValueId {
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.add({
      name: `integers_${this.values.length}`,
      constant: {
        dtype: 'int64',
        shape,
        origin: 'initializer',
        data: { byteLength: bytes.length, read: () => bytes },
      },
      declared: null,
    });
  }

  node<K extends OpKind>(
    kind: K,
    attrs: OpAttrs[K],
    inputs: readonly (ValueId | null)[],
    outputCount = 1,
  ): readonly ValueId[] {
    const name = `${kind}_${this.nodes.length}`;
    const outputs = Array.from({ length: outputCount }, (_, index) =>
      this.add({ name: `${name}_${index}`, constant: null, declared: null }),
    );
    this.nodes.push({ kind, attrs, op: kind, name, scope: [], inputs, outputs } as unknown as Node);
    return outputs;
  }

  /** Appends a node with one output. */
  one<K extends OpKind>(kind: K, attrs: OpAttrs[K], ...inputs: readonly (ValueId | null)[]): ValueId {
    return this.node(kind, attrs, inputs)[0] ?? 0;
  }

  output(id: ValueId): this {
    this.outputs.push(id);
    return this;
  }

  analyse(): AnalysedModel {
    const model: Model = {
      name: 'small',
      format: 'onnx',
      producer: null,
      opsets: {},
      fileBytes: 0,
      values: this.values,
      graph: { name: 'small', inputs: this.inputs, outputs: this.outputs, nodes: this.nodes, constants: [] },
    };
    const inputs = new Map(this.inputs.map((id) => [id, tensorFact('float32', this.inputShapes.get(id) ?? [])]));
    return analysedModel(model, inferFacts(model, inputs, new Map()));
  }

  private add(value: Value): ValueId {
    this.values.push(value);
    return this.values.length - 1;
  }
}

let shared: Promise<Runtime> | null = null;

/** One runtime on one thread for all tests of a file. */
export function sharedRuntime(): Promise<Runtime> {
  shared ??= createRuntime({ threads: 1 });
  return shared;
}

/** The outputs, in the model's order. */
export async function runModel(
  model: SmallModel,
  inputs: Readonly<Record<string, RuntimeTensor>>,
): Promise<readonly RuntimeTensor[]> {
  const runtime = await sharedRuntime();
  const network = await runtime.load(model.analyse());
  try {
    return Object.values(network.run(inputs));
  } finally {
    await network.close();
  }
}

export const shapeOfOutput = (model: AnalysedModel, index = 0): readonly number[] => {
  const fact = model.facts[model.model.graph.outputs[index] ?? 0];
  return (fact?.type === 'tensor' ? staticShape(fact.shape) : null) ?? [];
};

/** A pointwise layer in front brings a tensor into blocks of channels, as inside of a network. */
export function throughBlocks(model: SmallModel, input: number, channels: number): number {
  const identity = new Float32Array(channels * channels);
  for (let i = 0; i < channels; i++) identity[i * channels + i] = 1;
  const window = { kernel: [1, 1], strides: [], dilations: [], padding: { mode: 'explicit', pads: [] } } as const;
  const layout = { channelsLast: false, weightChannelsLast: false } as const;
  const attrs = { ...window, ...layout, groups: 1, activation: null, result: 'same' } as const;
  return model.one('conv', attrs, input, model.constant([channels, channels, 1, 1], identity));
}
