/** Builds ONNX models in memory, for tests that need one odd thing. */
import onnxProto from 'onnx-proto';

const { onnx } = onnxProto;

export interface NodeSpec {
  readonly op: string;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, AttributeSpec>>;
}

export type AttributeSpec =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly graph: GraphSpec }
  | { readonly ref: string };

export interface TensorSpec {
  readonly dims: readonly number[];
  readonly dtype?: number;
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
  readonly raw?: Uint8Array;
  readonly external?: Readonly<Record<string, string>>;
}

export interface GraphSpec {
  readonly name?: string;
  readonly inputs?: Readonly<Record<string, readonly (number | string)[] | null>>;
  readonly outputs?: readonly string[];
  readonly initializers?: Readonly<Record<string, TensorSpec>>;
  readonly nodes?: readonly NodeSpec[];
}

export interface ModelSpec extends GraphSpec {
  readonly opset?: number;
  readonly opsets?: Readonly<Record<string, number>>;
  readonly functions?: readonly (GraphSpec & { readonly domain: string; readonly formal: readonly string[] })[];
}

const FLOAT = 1;
const INT64 = 7;

function attribute(name: string, value: AttributeSpec): onnxProto.onnx.IAttributeProto {
  const { INT, INTS, FLOAT: ONE, FLOATS, STRING, GRAPH } = onnx.AttributeProto.AttributeType;
  if (typeof value === 'number') return { name, type: INT, i: value };
  if (typeof value === 'string') return { name, type: STRING, s: Buffer.from(value) };
  if ('float' in value) return { name, type: ONE, f: value.float };
  if ('floats' in value) return { name, type: FLOATS, floats: [...value.floats] };
  if ('graph' in value) return { name, type: GRAPH, g: graph(value.graph) };
  if ('ref' in value) return { name, type: INT, refAttrName: value.ref };
  return { name, type: INTS, ints: [...value] };
}

function node({ op, inputs, outputs, name, domain, attributes }: NodeSpec): onnxProto.onnx.INodeProto {
  return {
    opType: op,
    input: [...(inputs ?? [])],
    output: [...(outputs ?? [])],
    name: name ?? '',
    domain: domain ?? '',
    attribute: Object.entries(attributes ?? {}).map(([key, value]) => attribute(key, value)),
  };
}

function tensor(name: string, spec: TensorSpec): onnxProto.onnx.ITensorProto {
  const { dims, floats, ints, raw, external } = spec;
  const elements = dims.reduce((product, extent) => product * extent, 1);
  return {
    name,
    dims: [...dims],
    dataType: spec.dtype ?? (ints ? INT64 : FLOAT),
    ...(ints ? { int64Data: [...ints] } : {}),
    ...(raw ? { rawData: raw } : {}),
    ...(external
      ? { dataLocation: 1, externalData: Object.entries(external).map(([key, value]) => ({ key, value })) }
      : {}),
    ...(!ints && !raw && !external ? { floatData: floats ? [...floats] : new Array<number>(elements).fill(0.5) } : {}),
  };
}

function valueInfo(name: string, shape: readonly (number | string)[] | null): onnxProto.onnx.IValueInfoProto {
  const dim = shape?.map((extent) => (typeof extent === 'number' ? { dimValue: extent } : { dimParam: extent }));
  return { name, type: { tensorType: { elemType: FLOAT, ...(dim ? { shape: { dim } } : {}) } } };
}

function graph(spec: GraphSpec): onnxProto.onnx.IGraphProto {
  return {
    name: spec.name ?? 'test',
    input: Object.entries(spec.inputs ?? {}).map(([name, shape]) => valueInfo(name, shape)),
    output: (spec.outputs ?? []).map((name) => ({ name })),
    initializer: Object.entries(spec.initializers ?? {}).map(([name, value]) => tensor(name, value)),
    node: (spec.nodes ?? []).map(node),
  };
}

/** The bytes of a model file. */
export function onnxBytes(spec: ModelSpec): Uint8Array {
  const opsets = spec.opsets ?? { '': spec.opset ?? 17 };
  return onnx.ModelProto.encode({
    irVersion: 8,
    producerName: 'test',
    opsetImport: Object.entries(opsets).map(([domain, version]) => ({ domain, version })),
    graph: graph(spec),
    functions: (spec.functions ?? []).map((fn) => ({
      name: fn.name ?? '',
      domain: fn.domain,
      input: Object.keys(fn.inputs ?? {}),
      output: [...(fn.outputs ?? [])],
      attribute: [...fn.formal],
      node: (fn.nodes ?? []).map(node),
      opsetImport: [{ domain: '', version: spec.opset ?? 17 }],
    })),
  }).finish();
}
