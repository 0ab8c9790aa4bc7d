/** Writes a network of the calibration down, operator by operator. */
import { tensorFact } from '../ir/fact.ts';
import type { Constant, Model, Node, Value, ValueId } from '../ir/graph.ts';
import type { BinaryFunction, UnaryFunction, WindowAttrs } from '../ir/operators.ts';
import { inferFacts } from '../passes/infer-facts.ts';
import { type AnalysedModel, analysedModel } from '../runtime/network/analysed-model.ts';

/** A tensor of the network: items (always 1), channels, height, width. */
export interface Feature {
  readonly id: ValueId;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export interface ConvChoice {
  readonly outChannels: number;
  readonly kernel: readonly [number, number];
  readonly stride: number;
  readonly dilation?: number;
  readonly groups?: number;
}

type Body<N extends Node = Node> = N extends Node ? Pick<N, 'kind' | 'attrs'> : never;

const EPSILON = { epsilon: 1e-5 };

const PLAIN_PRODUCT = {
  transposeA: false,
  transposeB: false,
  rotateA: false,
  rotateB: false,
  alpha: 1,
  activation: null,
  result: 'same',
} as const;

const COMMON = { scope: [] as readonly string[] };

export class SweepNetwork {
  private readonly values: Value[] = [];
  private readonly nodes: Node[] = [];
  private readonly inputs: ValueId[] = [];
  private readonly inputShapes = new Map<ValueId, readonly number[]>();
  private readonly outputs: ValueId[] = [];

  input(channels: number, height: number, width: number): Feature {
    const id = this.add(`input_${this.values.length}`, null);
    this.inputs.push(id);
    this.inputShapes.set(id, [1, channels, height, width]);
    return { id, channels, height, width };
  }

  /** An image as Keras stores it, channels last, and then first. */
  inputLast(channels: number, height: number, width: number): Feature {
    const id = this.add(`input_${this.values.length}`, null);
    this.inputs.push(id);
    this.inputShapes.set(id, [1, height, width, channels]);
    return { id: this.permute(id, [0, 3, 1, 2]), channels, height, width };
  }

  output({ id }: Feature): void {
    this.outputs.push(id);
  }

  /** Padded by half the kernel: the extent is divided by the stride, rounded up. */
  conv(x: Feature, { outChannels, kernel, stride, dilation = 1, groups = 1 }: ConvChoice): Feature {
    const [kernelHeight, kernelWidth] = kernel;
    const fanIn = (x.channels / groups) * kernelHeight * kernelWidth;
    const weights = this.weights([outChannels, x.channels / groups, kernelHeight, kernelWidth], fanIn);
    const bias = this.weights([outChannels], outChannels);
    const attrs = {
      ...windowOf(kernel, stride, dilation),
      groups,
      channelsLast: false,
      weightChannelsLast: false,
      activation: null,
      result: 'same',
    } as const;
    const id = this.node({ kind: 'conv', attrs }, [x.id, weights, bias]);
    return { id, channels: outChannels, height: Math.ceil(x.height / stride), width: Math.ceil(x.width / stride) };
  }

  /** Twice the extent. */
  convTranspose(x: Feature, outChannels: number, kernel: number): Feature {
    const pads = kernel === 2 ? [0, 0, 0, 0] : [1, 1, 1, 1];
    const weights = this.weights([x.channels, outChannels, kernel, kernel], x.channels * kernel * kernel);
    const attrs = {
      kernel: [kernel, kernel],
      strides: [2, 2],
      dilations: [],
      groups: 1,
      channelsLast: false,
      activation: null,
      outputShape: null,
      outputPadding: [],
      padding: { mode: 'explicit', pads },
    } as const;
    const id = this.node({ kind: 'convTranspose', attrs }, [x.id, weights]);
    return { id, channels: outChannels, height: x.height * 2, width: x.width * 2 };
  }

  unary(x: Feature, fn: UnaryFunction): Feature {
    const attrs = { fn, alpha: fn === 'celu' || fn === 'quickGelu' ? 1 : null, beta: null };
    return { ...x, id: this.node({ kind: 'unary', attrs }, [x.id]) };
  }

  binary(fn: BinaryFunction, a: Feature, b: Feature): Feature {
    return {
      ...a,
      id: this.node({ kind: 'binary', attrs: { fn, alignAxis: null, truncates: false, left: true } }, [a.id, b.id]),
    };
  }

  pool(x: Feature, fn: 'average' | 'max', kernel: number, stride: number): Feature {
    const attrs = {
      ...windowOf([kernel, kernel], stride, 1),
      fn,
      ceil: false,
      channelsLast: false,
      countsPadding: false,
    };
    const extent = (size: number): number => Math.floor((size + 2 * Math.floor(kernel / 2) - kernel) / stride) + 1;
    const id = this.node({ kind: 'pool', attrs }, [x.id]);
    return { ...x, id, height: extent(x.height), width: extent(x.width) };
  }

  globalPool(x: Feature, fn: 'average' | 'max' = 'average'): Feature {
    return {
      ...x,
      id: this.node({ kind: 'globalPool', attrs: { fn, channelsLast: false } }, [x.id]),
      height: 1,
      width: 1,
    };
  }

  /** The mean over height and width, as a reduction. */
  reduceMean(x: Feature): Feature {
    const axes = this.integers([2, 3]);
    const id = this.node({ kind: 'reduce', attrs: { fn: 'mean', keepDims: true, noopWithoutAxes: false } }, [
      x.id,
      axes,
    ]);
    return { ...x, id, height: 1, width: 1 };
  }

  /** The mean over channels. */
  channelMean(x: Feature): Feature {
    const axes = this.integers([1]);
    const id = this.node({ kind: 'reduce', attrs: { fn: 'mean', keepDims: true, noopWithoutAxes: false } }, [
      x.id,
      axes,
    ]);
    return { ...x, id, channels: 1 };
  }

  /** Every plane, or every position over all channels, beside its mean, on row-major memory. */
  besideMean(x: Feature, over: 'planes' | 'channels', fn: BinaryFunction): Feature {
    const { channels, height, width } = x;
    const rows = { ...x, id: this.reshape(x.id, [channels, height * width]) };
    const axes = this.integers([over === 'planes' ? 1 : 0]);
    const attrs = { fn: 'mean', keepDims: true, noopWithoutAxes: false } as const;
    const means = { ...x, id: this.node({ kind: 'reduce', attrs }, [rows.id, axes]) };
    return { ...x, id: this.reshape(this.binary(fn, rows, means).id, [1, channels, height, width]) };
  }

  concat(parts: readonly Feature[]): Feature {
    const [first] = parts;
    if (first === undefined) throw new Error('Nothing to join.');
    const id = this.node(
      { kind: 'concat', attrs: { axis: 1, operands: null } },
      parts.map((part) => part.id),
    );
    return { ...first, id, channels: parts.reduce((sum, { channels }) => sum + channels, 0) };
  }

  /** Channels from `first` on. */
  slice(x: Feature, first: number, channels: number): Feature {
    const bounds = [first, first + channels, 1, 1].map((value) => this.integers([value]));
    return { ...x, id: this.node({ kind: 'slice', attrs: {} }, [x.id, ...bounds]), channels };
  }

  /** Channels of `groups` groups in turn, as ShuffleNet mixes them. */
  shuffle(x: Feature, groups: number): Feature {
    const { channels, height, width } = x;
    const split = this.reshape(x.id, [1, groups, channels / groups, height, width]);
    return { ...x, id: this.reshape(this.permute(split, [0, 2, 1, 3, 4]), [1, channels, height, width]) };
  }

  /** Height and width in another order, in row-major memory. */
  transpose(x: Feature): Feature {
    return { ...x, id: this.permute(x.id, [0, 1, 3, 2]), height: x.width, width: x.height };
  }

  /** Channels of zeroes on both sides, as shortcuts without weights add them. */
  padChannels(x: Feature, count: number): Feature {
    const pads = this.integers([0, count, 0, 0, 0, count, 0, 0]);
    const id = this.node({ kind: 'pad', attrs: { mode: 'constant' } }, [x.id, pads]);
    return { ...x, id, channels: x.channels + 2 * count };
  }

  resize(x: Feature, mode: 'cubic' | 'linear' | 'nearest'): Feature {
    const sizes = this.integers([1, x.channels, x.height * 2, x.width * 2]);
    const attrs = {
      mode,
      axes: null,
      policy: 'stretch',
      coordinates: 'asymmetric',
      nearest: 'floor',
      cubicCoefficient: -0.75,
      excludesOutside: false,
      antialiases: false,
    } as const;
    const id = this.node({ kind: 'resize', attrs }, [x.id, null, sizes]);
    return { ...x, id, height: x.height * 2, width: x.width * 2 };
  }

  softmax(x: Feature, axis: number): Feature {
    return { ...x, id: this.node({ kind: 'softmax', attrs: { axis, coerces: false, log: false } }, [x.id]) };
  }

  /** The greatest channel of each pixel, picked by its position. */
  strongest(x: Feature): Feature {
    const attrs = { fn: 'max', axis: 1, keepDims: true, selectsLast: false } as const;
    const positions = this.node({ kind: 'argReduce', attrs }, [x.id]);
    return { ...x, id: this.node({ kind: 'gatherElements', attrs: { axis: 1 } }, [x.id, positions]), channels: 1 };
  }

  /** Rows picked by the positions of the greatest elements of as long a column. */
  pickRows({ id, channels, height, width }: Feature): Feature {
    const attrs = { fn: 'max', axis: 1, keepDims: false, selectsLast: false } as const;
    const positions = this.node({ kind: 'argReduce', attrs }, [this.reshape(id, [width, channels * height])]);
    const rows = this.node({ kind: 'gather', attrs: { axis: 0 } }, [
      this.reshape(id, [channels * height, width]),
      positions,
    ]);
    return { id: this.reshape(rows, [1, 1, width, width]), channels: 1, height: width, width };
  }

  /** Over neighbouring channels. */
  lrn(x: Feature, size: number): Feature {
    return { ...x, id: this.node({ kind: 'lrn', attrs: { size, alpha: 1e-4, beta: 0.75, bias: 1 } }, [x.id]) };
  }

  /** Over each channel's own plane. */
  instanceNorm(x: Feature): Feature {
    return { ...x, id: this.node({ kind: 'instanceNorm', attrs: EPSILON }, [x.id, ...this.scaleAndBias(x.channels)]) };
  }

  /** Over the planes of each group of channels. */
  groupNorm(x: Feature, groups: number): Feature {
    const attrs = { ...EPSILON, groups, activation: false };
    return { ...x, id: this.node({ kind: 'groupNorm', attrs }, [x.id, ...this.scaleAndBias(x.channels)]) };
  }

  /** Over the channels of each pixel, with the channels last, and back. */
  channelNorm(x: Feature, rms: boolean): Feature {
    const last = this.permute(x.id, [0, 2, 3, 1]);
    const attrs = { ...EPSILON, axis: -1, rms };
    const normalised = this.node({ kind: 'layerNorm', attrs }, [last, ...this.scaleAndBias(x.channels)]);
    return { ...x, id: this.permute(normalised, [0, 3, 1, 2]) };
  }

  /** Attention of every pixel to every other, within `heads` groups of channels: the tensor is query, key and value. */
  attention(x: Feature, heads: number): Feature {
    const { channels, height, width } = x;
    const keys = this.reshape(x.id, [heads, channels / heads, height * width]);
    const queries = this.permute(keys, [0, 2, 1]);
    const scores = this.matmul(queries, keys);
    const shares = this.node({ kind: 'softmax', attrs: { axis: -1, coerces: false, log: false } }, [scores]);
    const mixed = this.permute(this.matmul(shares, queries), [0, 2, 1]);
    return { ...x, id: this.reshape(mixed, [1, channels, height, width]) };
  }

  /** A dense layer over everything; its result is a vector. */
  dense(x: Feature, outFeatures: number): Feature {
    const features = x.channels * x.height * x.width;
    const flat = this.node({ kind: 'flatten', attrs: { axis: 1 } }, [x.id]);
    const attrs = { transposeA: false, transposeB: true, alpha: 1, beta: 1, activation: null, result: 'same' } as const;
    const id = this.node({ kind: 'gemm', attrs }, [
      flat,
      this.weights([outFeatures, features], features),
      this.weights([outFeatures], outFeatures),
    ]);
    return { id, channels: outFeatures, height: 1, width: 1 };
  }

  analyse(): AnalysedModel {
    const model: Model = {
      name: 'calibration',
      format: 'onnx',
      producer: null,
      opsets: {},
      fileBytes: 0,
      values: this.values,
      graph: { name: 'calibration', inputs: this.inputs, outputs: this.outputs, nodes: this.nodes, constants: [] },
    };
    const inputs = new Map(this.inputs.map((id) => [id, tensorFact('float32', this.inputShapes.get(id) ?? [])]));
    return analysedModel(model, inferFacts(model, inputs, new Map()));
  }

  private reshape(x: ValueId, shape: readonly number[]): ValueId {
    return this.node({ kind: 'reshape', attrs: { zeroCopies: false } }, [x, this.integers(shape)]);
  }

  private permute(x: ValueId, permutation: readonly number[]): ValueId {
    return this.node({ kind: 'transpose', attrs: { permutation } }, [x]);
  }

  private matmul(a: ValueId, b: ValueId): ValueId {
    return this.node({ kind: 'matmul', attrs: PLAIN_PRODUCT }, [a, b]);
  }

  private scaleAndBias(channels: number): readonly ValueId[] {
    return [this.weights([channels], channels), this.weights([channels], channels)];
  }

  private node(body: Body, inputs: readonly (ValueId | null)[]): ValueId {
    const name = `${body.kind}_${this.nodes.length}`;
    const output = this.add(name, null);
    this.nodes.push({ ...COMMON, ...body, op: body.kind, name, inputs, outputs: [output] });
    return output;
  }

  /** Weights that keep the size of what passes through them; made when they are read. */
  private weights(shape: readonly number[], fanIn: number): ValueId {
    const count = shape.reduce((product, extent) => product * extent, 1);
    const scale = Math.sqrt(3 / fanIn);
    const read = (): Uint8Array => {
      const weights = new Float32Array(count);
      for (let index = 0; index < count; index++) weights[index] = noise(index) * scale;
      return new Uint8Array(weights.buffer);
    };
    return this.constant({ dtype: 'float32', shape, origin: 'initializer', data: { byteLength: count * 4, read } });
  }

  private integers(values: readonly number[]): ValueId {
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.constant({
      dtype: 'int64',
      shape: [values.length],
      origin: 'initializer',
      data: { byteLength: bytes.length, read: () => bytes },
    });
  }

  private constant(constant: Constant): ValueId {
    return this.add(`constant_${this.values.length}`, constant);
  }

  private add(name: string, constant: Constant | null): ValueId {
    this.values.push({ name, constant, declared: null });
    return this.values.length - 1;
  }
}

/** Evenly spread over −1 to 1: multiples of the golden ratio. */
const noise = (index: number): number => 2 * ((index * 0.618033988749895) % 1) - 1;

function windowOf([height, width]: readonly [number, number], stride: number, dilation: number): WindowAttrs {
  const half = (extent: number): number => Math.floor(((extent - 1) * dilation) / 2 + (extent % 2 === 0 ? 0.5 : 0));
  const pads = [half(height), half(width), half(height), half(width)];
  return {
    kernel: [height, width],
    strides: [stride, stride],
    dilations: [dilation, dilation],
    padding: { mode: 'explicit', pads },
  };
}
