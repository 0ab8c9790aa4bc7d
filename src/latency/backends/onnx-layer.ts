/** A layer of the calibration as an ONNX model: several copies of it, so that the time of one more can be told. */
import onnxProto from 'onnx-proto';
import type { Node, ValueId } from '../../ir/graph.ts';
import type { AnalysedModel } from '../../runtime/network/analysed-model.ts';
import { extentsOf, isConstant } from './layer-work.ts';

const { onnx } = onnxProto;
const { AttributeType } = onnx.AttributeProto;
const FLOAT = onnx.TensorProto.DataType.FLOAT;
const INT64 = onnx.TensorProto.DataType.INT64;

type Attributes = Readonly<Record<string, number | readonly number[]>>;

interface Operator {
  readonly op: string;
  readonly attributes: Attributes;
}

const UNARY: Readonly<Record<string, Operator>> = {
  relu: { op: 'Relu', attributes: {} },
  sigmoid: { op: 'Sigmoid', attributes: {} },
  hardSigmoid: { op: 'HardSigmoid', attributes: {} },
  hardSwish: { op: 'HardSwish', attributes: {} },
  tanh: { op: 'Tanh', attributes: {} },
  leakyRelu: { op: 'LeakyRelu', attributes: {} },
  elu: { op: 'Elu', attributes: {} },
  exp: { op: 'Exp', attributes: {} },
  sqrt: { op: 'Sqrt', attributes: {} },
  erf: { op: 'Erf', attributes: {} },
};

const BINARY: Readonly<Record<string, string>> = { add: 'Add', sub: 'Sub', mul: 'Mul', div: 'Div' };

/** The node as ONNX spells it; null for what a calibration does not time. */
function operatorOf(node: Node): Operator | null {
  switch (node.kind) {
    case 'conv': {
      const { groups, strides, dilations, padding } = node.attrs;
      const pads = padding.mode === 'explicit' ? padding.pads : [];
      return { op: 'Conv', attributes: { group: groups, strides, dilations, pads } };
    }
    case 'pool': {
      const { kernel, strides, padding, fn } = node.attrs;
      const pads = padding.mode === 'explicit' ? padding.pads : [];
      return {
        op: fn === 'max' ? 'MaxPool' : 'AveragePool',
        attributes: { kernel_shape: kernel ?? [], strides, pads },
      };
    }
    case 'gemm':
      return { op: 'Gemm', attributes: { transB: node.attrs.transposeB ? 1 : 0 } };
    case 'globalPool':
      return { op: 'GlobalAveragePool', attributes: {} };
    case 'unary':
      return UNARY[node.attrs.fn] ?? null;
    case 'binary': {
      const op = BINARY[node.attrs.fn];
      return op === undefined ? null : { op, attributes: {} };
    }
    case 'concat':
      return { op: 'Concat', attributes: { axis: node.attrs.axis } };
    case 'softmax':
      return { op: 'Softmax', attributes: { axis: node.attrs.axis } };
    case 'flatten':
      return { op: 'Flatten', attributes: { axis: node.attrs.axis } };
    default:
      return null;
  }
}

/**
 * So many copies of the model's nodes. Where the output has the input's shape each copy reads the one before; else all read
 * copies of the input, and hand out one element each: whole outputs would be copied out of the runtime.
 */
export function repeatedModel(source: AnalysedModel, copies: number): Uint8Array {
  const { graph } = source.model;
  const [input = 0] = graph.inputs;
  const [output = 0] = graph.outputs;
  const isChain = String(extentsOf(source, input)) === String(extentsOf(source, output));
  const writer = new ModelWriter(source);
  let from = writer.input('x', extentsOf(source, input) ?? []);
  for (let copy = 0; copy < copies; copy++) {
    const to = writer.copy(copy, new Map([[input, from]]), output);
    if (isChain) from = to;
    else {
      writer.output(writer.firstElement(to, extentsOf(source, output)?.length ?? 0));
      if (copy + 1 < copies) from = writer.input(`x${copy + 1}`, extentsOf(source, input) ?? []);
    }
  }
  if (isChain) writer.output(writer.firstElement(from, extentsOf(source, output)?.length ?? 0));
  return writer.encode();
}

class ModelWriter {
  private readonly source: AnalysedModel;
  private readonly nodes: onnxProto.onnx.INodeProto[] = [];
  private readonly tensors: onnxProto.onnx.ITensorProto[] = [];
  private readonly inputs: onnxProto.onnx.IValueInfoProto[] = [];
  private readonly outputs: onnxProto.onnx.IValueInfoProto[] = [];

  constructor(source: AnalysedModel) {
    this.source = source;
  }

  input(name: string, shape: readonly number[]): string {
    const dim = shape.map((extent) => ({ dimValue: extent }));
    this.inputs.push({ name, type: { tensorType: { elemType: FLOAT, shape: { dim } } } });
    return name;
  }

  output(name: string): void {
    this.outputs.push({ name, type: { tensorType: { elemType: FLOAT } } });
  }

  /** One copy of every node; gives the name of what it computes. */
  copy(index: number, names: Map<ValueId, string>, output: ValueId): string {
    const nameOf = (id: ValueId | null): string => {
      if (id === null) return '';
      const known = names.get(id) ?? `value${id}_copy${index}`;
      if (!names.has(id) && isConstant(this.source, id)) this.constant(id, known);
      names.set(id, known);
      return known;
    };
    for (const node of this.source.nodes) {
      const operator = operatorOf(node);
      if (operator === null) throw new Error(`${node.op} is not timed.`);
      this.add(operator, node.inputs.map(nameOf), nameOf(node.outputs[0] ?? null));
    }
    return nameOf(output);
  }

  /** The first element along every axis. */
  firstElement(of: string, rank: number): string {
    const bounds = [0, 1].map((value) => this.integers(`${of}_from_${value}`, new Array<number>(rank).fill(value)));
    const name = `${of}_first`;
    this.add({ op: 'Slice', attributes: {} }, [of, ...bounds], name);
    return name;
  }

  encode(): Uint8Array {
    const graph = {
      name: 'calibration',
      node: this.nodes,
      initializer: this.tensors,
      input: this.inputs,
      output: this.outputs,
    };
    return onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ domain: '', version: 14 }], graph }).finish();
  }

  private add({ op, attributes }: Operator, inputs: readonly string[], output: string): void {
    const attribute = Object.entries(attributes).flatMap(([name, value]): onnxProto.onnx.IAttributeProto[] => {
      if (typeof value === 'number') return [{ name, i: value, type: AttributeType.INT }];
      return value.length === 0 ? [] : [{ name, ints: [...value], type: AttributeType.INTS }];
    });
    this.nodes.push({ opType: op, name: output, input: [...inputs], output: [output], attribute });
  }

  private constant(id: ValueId, name: string): void {
    const constant = this.source.model.values[id]?.constant;
    if (!constant) throw new Error('A weight is no constant.');
    const rawData = constant.data.read() ?? new Uint8Array(constant.data.byteLength);
    this.tensors.push({ name, dims: [...constant.shape], dataType: FLOAT, rawData });
  }

  private integers(name: string, values: readonly number[]): string {
    const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    this.tensors.push({ name, dims: [values.length], dataType: INT64, rawData });
    return name;
  }
}
