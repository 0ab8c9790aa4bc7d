/** Networks drawn at random: some operators each, on shapes where kernels have edges. Only continuous functions. */
import { seededUniform } from '../../src/runtime/random.ts';
import { type AttributeSpec, type NodeSpec, onnxBytes, type TensorSpec } from '../support/onnx-bytes.ts';
import { randomFloats } from './random.ts';

interface Drawn {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface RandomNetwork {
  readonly bytes: Uint8Array;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Operators in order, for whoever has to find out what went wrong. */
  readonly ops: readonly string[];
}

const MAX_ELEMENTS = 20_000;

const elementsOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

const CHANNELS = [1, 2, 3, 5, 7, 8, 9, 16, 17, 24, 40];
const EXTENTS = [1, 2, 3, 4, 5, 7, 8, 11, 16, 23];

class Drawing {
  readonly tensors: Drawn[] = [];
  readonly nodes: NodeSpec[] = [];
  readonly inputs: Record<string, readonly number[]> = {};
  private readonly initializers: Record<string, TensorSpec> = {};
  private readonly read = new Set<string>();
  private readonly next: () => number;

  constructor(seed: number) {
    this.next = seededUniform(`network ${seed}`);
    const shape = [this.one([1, 1, 1, 2, 3]), this.one(CHANNELS), this.one(EXTENTS), this.one(EXTENTS)];
    const volume = [...shape.slice(0, 2), ...[1, 2, 3].map(() => this.whole(1, 6))];
    this.input(this.chance(0.8) ? shape : this.chance(0.5) ? shape.slice(0, 3) : volume);
    if (this.chance(0.2)) this.input([...shape.slice(0, 1), this.one(CHANNELS), ...shape.slice(2)]);
  }

  private input(shape: readonly number[]): void {
    const name = `input_${this.tensors.length}`;
    this.inputs[name] = shape;
    this.tensors.push({ name, shape });
  }

  /** A whole number from `low` to `high`. */
  whole = (low: number, high: number): number => low + Math.floor(((this.next() + 1) / 2) * (high - low + 0.999));

  chance = (share: number): boolean => (this.next() + 1) / 2 < share;

  one<T>(list: readonly [T, ...T[]] | readonly T[]): T {
    const picked = list[this.whole(0, list.length - 1)];
    if (picked === undefined) throw new Error('Nothing to pick from.');
    return picked;
  }

  /** One of the tensors, late ones rather than early ones. */
  tensor(fits: (shape: readonly number[]) => boolean = () => true): Drawn | null {
    const fitting = this.tensors.filter(({ shape }) => fits(shape));
    if (fitting.length === 0) return null;
    return this.chance(0.7) ? (fitting.at(-1) ?? null) : this.one(fitting);
  }

  image = (): Drawn | null => this.tensor((shape) => shape.length > 2 && shape.length < 6);

  floats(dims: readonly number[], scale = 1, shift = 0): string {
    const name = `floats_${Object.keys(this.initializers).length}`;
    const seed = this.whole(0, 2 ** 20);
    this.initializers[name] = { dims, floats: [...randomFloats(seed, elementsOf(dims))].map((x) => x * scale + shift) };
    return name;
  }

  ints(values: readonly number[], dims: readonly number[] = [values.length]): string {
    const name = `ints_${Object.keys(this.initializers).length}`;
    this.initializers[name] = { dims, ints: values };
    return name;
  }

  node(
    op: string,
    inputs: readonly string[],
    shapes: readonly (readonly number[])[],
    attributes: Readonly<Record<string, AttributeSpec>> = {},
  ): boolean {
    if (shapes.some((shape) => elementsOf(shape) > MAX_ELEMENTS || elementsOf(shape) < 1)) return false;
    const outputs = shapes.map((_, index) => `${op}_${this.nodes.length}_${index}`);
    this.nodes.push({ op, inputs, outputs, name: `${op}_${this.nodes.length}`, attributes });
    for (const input of inputs) this.read.add(input);
    for (const [index, shape] of shapes.entries()) this.tensors.push({ name: outputs[index] ?? '', shape });
    return true;
  }

  network(): RandomNetwork {
    const { nodes, initializers, inputs } = this;
    const outputs = nodes.flatMap((node) => node.outputs ?? []).filter((name) => !this.read.has(name));
    return { bytes: onnxBytes({ nodes, initializers, inputs, outputs }), inputs, ops: nodes.map(({ op }) => op) };
  }
}

/** Appends an operator on tensors that are there; false where none fits. */
type Draw = (net: Drawing) => boolean;

const windowed = (net: Drawing, extents: readonly number[], most: number) => {
  const kernel = extents.map(() => net.whole(1, most));
  const strides = extents.map(() => net.one([1, 1, 1, 2, 3, 4]));
  const dilations = extents.map(() => net.one([1, 1, 1, 2]));
  const before = kernel.map((extent) => net.whole(0, Math.max(0, extent - 1)));
  const behind = kernel.map((extent, axis) => (net.chance(0.5) ? (before[axis] ?? 0) : net.whole(0, extent - 1)));
  const covered = kernel.map((extent, axis) => (extent - 1) * (dilations[axis] ?? 1) + 1);
  const free = extents.map((extent, axis) => extent + (before[axis] ?? 0) + (behind[axis] ?? 0) - (covered[axis] ?? 1));
  const output = free.map((extent, axis) => Math.floor(extent / (strides[axis] ?? 1)) + 1);
  return {
    kernel,
    strides,
    dilations,
    pads: [...before, ...behind],
    output,
    fits: free.every((extent) => extent >= 0),
  };
};

const divisors = (count: number): number[] =>
  Array.from({ length: count }, (_, index) => index + 1).filter((divisor) => count % divisor === 0);

const conv: Draw = (net) => {
  const x = net.image();
  if (x === null) return false;
  const [items = 1, channels = 1, ...extents] = x.shape;
  const { kernel, strides, dilations, pads, output, fits } = windowed(net, extents, net.one([1, 3, 3, 5]));
  if (!fits) return false;
  const groups = net.chance(0.3) ? channels : net.chance(0.3) ? net.one(divisors(channels)) : 1;
  const out =
    groups === 1 ? net.one(CHANNELS) : groups * (groups === channels ? net.one([1, 1, 1, 2]) : net.whole(1, 5));
  const taps = elementsOf(kernel) * (channels / groups);
  const weights = net.floats([out, channels / groups, ...kernel], Math.sqrt(3 / taps));
  const bias = net.chance(0.7) ? [net.floats([out])] : [];
  const attributes = { kernel_shape: kernel, strides, dilations, pads, group: groups };
  return net.node('Conv', [x.name, weights, ...bias], [[items, out, ...output]], attributes);
};

const pointwise: Draw = (net) => {
  const x = net.image();
  if (x === null) return false;
  const [items = 1, channels = 1, ...extents] = x.shape;
  const out = net.one(CHANNELS);
  const weights = net.floats([out, channels, ...extents.map(() => 1)], Math.sqrt(3 / channels));
  return net.node('Conv', [x.name, weights, net.floats([out])], [[items, out, ...extents]]);
};

const convTranspose: Draw = (net) => {
  const x = net.image();
  if (x === null) return false;
  const [items = 1, channels = 1, ...extents] = x.shape;
  const kernel = extents.map(() => net.whole(1, 4));
  const strides = extents.map(() => net.whole(1, 3));
  const dilations = extents.map(() => net.one([1, 1, 2]));
  const groups = net.chance(0.3) ? net.one(divisors(channels)) : 1;
  const each = net.whole(1, 9);
  const pads = [...kernel, ...kernel].map((extent) => net.whole(0, Math.floor((extent - 1) / 2)));
  const added = strides.map((stride) => net.whole(0, stride - 1));
  const output = extents.map(
    (extent, axis) =>
      (extent - 1) * (strides[axis] ?? 1) +
      (added[axis] ?? 0) +
      ((kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1) +
      1 -
      (pads[axis] ?? 0) -
      (pads[axis + extents.length] ?? 0),
  );
  if (output.some((extent) => extent < 1)) return false;
  const weights = net.floats([channels, each, ...kernel], 0.5);
  const attributes = { kernel_shape: kernel, strides, dilations, pads, group: groups, output_padding: added };
  return net.node(
    'ConvTranspose',
    [x.name, weights, net.floats([each * groups])],
    [[items, each * groups, ...output]],
    attributes,
  );
};

const pool: Draw = (net) => {
  const x = net.image();
  if (x === null) return false;
  const [items = 1, channels = 1, ...extents] = x.shape;
  const op = net.one(['MaxPool', 'AveragePool']);
  const { kernel, strides, dilations, pads, output, fits } = windowed(net, extents, 4);
  if (!fits || (op === 'AveragePool' && dilations.some((dilation) => dilation > 1))) return false;
  const own = op === 'MaxPool' ? { dilations } : { count_include_pad: net.whole(0, 1) };
  return net.node(op, [x.name], [[items, channels, ...output]], { kernel_shape: kernel, strides, pads, ...own });
};

const globalPool: Draw = (net) => {
  const x = net.image();
  if (x === null) return false;
  const [items = 1, channels = 1, ...extents] = x.shape;
  return net.node(
    net.one(['GlobalAveragePool', 'GlobalMaxPool']),
    [x.name],
    [[items, channels, ...extents.map(() => 1)]],
  );
};

const FUNCTIONS: readonly (readonly [string, Readonly<Record<string, AttributeSpec>>])[] = [
  ['Relu', {}],
  ['Sigmoid', {}],
  ['Tanh', {}],
  ['HardSwish', {}],
  ['HardSigmoid', { alpha: { float: 1 / 6 } }],
  ['LeakyRelu', { alpha: { float: 0.1 } }],
  ['Elu', {}],
  ['Selu', {}],
  ['Softplus', {}],
  ['Abs', {}],
  ['Neg', {}],
  ['Erf', {}],
  ['Sin', {}],
  ['Cos', {}],
];

const activation: Draw = (net) => {
  const x = net.tensor();
  const [op, attributes] = net.one(FUNCTIONS);
  return x !== null && net.node(op, [x.name], [x.shape], attributes);
};

const clip: Draw = (net) => {
  const x = net.tensor();
  return x !== null && net.node('Clip', [x.name, net.floats([], 0, -0.5), net.floats([], 0, 0.8)], [x.shape]);
};

const gate: Draw = (net) => {
  const x = net.tensor();
  if (x === null || !net.node('Sigmoid', [x.name], [x.shape])) return false;
  return net.node('Mul', [x.name, net.tensors.at(-1)?.name ?? ''], [x.shape]);
};

/** The shape with some extents 1, and maybe without the first ones. */
function narrowed(net: Drawing, shape: readonly number[]): readonly number[] {
  const some = shape.map((extent) => (net.chance(0.5) ? 1 : extent));
  return net.chance(0.3) ? some.slice(net.whole(0, shape.length)) : some;
}

const withConstant: Draw = (net) => {
  const x = net.tensor();
  if (x === null) return false;
  const op = net.one(['Add', 'Mul', 'Sub', 'Div', 'Max', 'Min', 'PRelu']);
  const constant = net.floats(narrowed(net, x.shape), 0.5, op === 'Div' ? 2 : 0);
  const isSwapped = op !== 'PRelu' && op !== 'Div' && net.chance(0.3);
  return net.node(op, isSwapped ? [constant, x.name] : [x.name, constant], [x.shape]);
};

const broadcasts = (a: readonly number[], b: readonly number[]): readonly number[] | null => {
  const rank = Math.max(a.length, b.length);
  const at = (shape: readonly number[], axis: number): number => shape[axis - (rank - shape.length)] ?? 1;
  const joined = Array.from({ length: rank }, (_, axis) => Math.max(at(a, axis), at(b, axis)));
  const isFine = joined.every((extent, axis) => [a, b].every((shape) => [1, extent].includes(at(shape, axis))));
  return isFine ? joined : null;
};

const withTensor: Draw = (net) => {
  const x = net.tensor();
  const other = x && net.tensor((shape) => shape !== x.shape && broadcasts(x.shape, shape) !== null);
  if (!x || !other) return false;
  const shape = broadcasts(x.shape, other.shape) ?? x.shape;
  const names = net.chance(0.5) ? [x.name, other.name] : [other.name, x.name];
  return net.node(net.one(['Add', 'Add', 'Mul', 'Sub', 'Max', 'Sum']), names, [shape]);
};

/** A reduced tensor as the gate of the one that it is made of. */
const reducedGate: Draw = (net) => {
  const x = net.tensor((shape) => shape.length > 1);
  if (x === null) return false;
  const axes = x.shape.flatMap((_, axis) => (net.chance(0.5) ? [axis] : []));
  if (axes.length === 0) return false;
  const reduced = x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  net.node(net.one(['ReduceMean', 'ReduceMax']), [x.name], [reduced], { axes });
  const names = [x.name, net.tensors.at(-1)?.name ?? ''];
  return net.node(net.one(['Mul', 'Sub', 'Add']), net.chance(0.5) ? names : names.reverse(), [x.shape]);
};

const reduce: Draw = (net) => {
  const x = net.tensor((shape) => shape.length > 1);
  if (x === null) return false;
  const axes = x.shape.flatMap((_, axis) => (net.chance(0.5) ? [axis] : []));
  if (axes.length === 0 || axes.length === x.shape.length) return false;
  const keeps = net.chance(0.5);
  const reduced = x.shape.flatMap((extent, axis) => (!axes.includes(axis) ? [extent] : keeps ? [1] : []));
  const op = net.one([
    'ReduceMean',
    'ReduceMax',
    'ReduceMin',
    'ReduceL1',
    'ReduceL2',
    'ReduceSumSquare',
    'ReduceLogSumExp',
  ]);
  return net.node(op, [x.name], [reduced], { axes, keepdims: Number(keeps) });
};

const concat: Draw = (net) => {
  const x = net.tensor((shape) => shape.length > 0);
  if (x === null) return false;
  const axis = net.chance(0.6) && x.shape.length > 1 ? 1 : net.whole(0, x.shape.length - 1);
  const fits = (shape: readonly number[]): boolean =>
    shape.length === x.shape.length && shape.every((extent, index) => index === axis || extent === x.shape[index]);
  const parts = Array.from({ length: net.whole(1, 3) }, () => net.tensor(fits) ?? x);
  const whole = parts.reduce((sum, { shape }) => sum + (shape[axis] ?? 0), x.shape[axis] ?? 0);
  const shape = x.shape.map((extent, index) => (index === axis ? whole : extent));
  return net.node('Concat', [x.name, ...parts.map(({ name }) => name)], [shape], {
    axis: net.chance(0.2) ? axis - x.shape.length : axis,
  });
};

const split: Draw = (net) => {
  const x = net.tensor((shape) => shape.some((extent) => extent > 1));
  if (x === null) return false;
  const axis = net.one(x.shape.flatMap((extent, index) => (extent > 1 ? [index] : [])));
  const extent = x.shape[axis] ?? 2;
  const first = net.whole(1, extent - 1);
  const lengths = [first, extent - first];
  const shapes = lengths.map((length) => x.shape.map((own, index) => (index === axis ? length : own)));
  return net.node('Split', [x.name, net.ints(lengths)], shapes, { axis });
};

const slice: Draw = (net) => {
  const x = net.tensor((shape) => shape.some((extent) => extent > 1));
  if (x === null) return false;
  const axes = x.shape.flatMap((extent, index) => (extent > 1 && net.chance(0.5) ? [index] : []));
  if (axes.length === 0) return false;
  const ranges = axes.map((axis) => {
    const extent = x.shape[axis] ?? 1;
    const first = net.whole(0, extent - 1);
    const last = net.whole(first, extent - 1);
    const step = net.whole(1, 3);
    const count = Math.floor((last - first) / step) + 1;
    const isReversed = net.chance(0.3);
    return isReversed
      ? { start: last, end: first === 0 ? -extent - 1 : first - 1, step: -step, count }
      : { start: first, end: net.chance(0.3) && last === extent - 1 ? 2 ** 31 : last + 1, step, count };
  });
  const shape = x.shape.map((extent, index) => ranges[axes.indexOf(index)]?.count ?? extent);
  const lists = [ranges.map(({ start }) => start), ranges.map(({ end }) => end), axes, ranges.map(({ step }) => step)];
  return net.node('Slice', [x.name, ...lists.map((list) => net.ints(list))], [shape]);
};

const pad: Draw = (net) => {
  const x = net.tensor((shape) => shape.length > 0);
  if (x === null) return false;
  const mode = net.one(['constant', 'constant', 'reflect', 'edge']);
  const isSpatial = net.chance(0.7);
  const extra = (axis: number): number => {
    if (isSpatial && axis < 2) return 0;
    const most = mode === 'reflect' ? (x.shape[axis] ?? 1) - 1 : 3;
    return net.whole(mode === 'constant' && net.chance(0.2) ? -1 : 0, Math.min(3, most));
  };
  const pads = [...x.shape, ...x.shape].map((_, index) => extra(index % x.shape.length));
  const shape = x.shape.map((extent, axis) => extent + (pads[axis] ?? 0) + (pads[axis + x.shape.length] ?? 0));
  if (shape.some((extent) => extent < 1)) return false;
  const value = mode === 'constant' && net.chance(0.3) ? [net.floats([], 0, 0.7)] : [];
  return net.node('Pad', [x.name, net.ints(pads), ...value], [shape], { mode });
};

const resize: Draw = (net) => {
  const x = net.image();
  if (x === null) return false;
  const [items = 1, channels = 1, ...extents] = x.shape;
  const mode = net.one(['nearest', 'linear', 'cubic']);
  if (mode === 'cubic' && extents.length !== 2) return false;
  const output = extents.map((extent) => net.one([extent, extent * 2, extent * 3, net.whole(1, 2 * extent + 1)]));
  const coordinates = net.one(['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric']);
  // Where a position lies between two neighbours the engines may round to either.
  const nearest = net.one(['floor', 'round_prefer_floor']);
  const isExact =
    mode !== 'nearest' ||
    (coordinates === 'asymmetric' && output.every((extent, axis) => extent % (extents[axis] ?? 1) === 0));
  if (!isExact) return false;
  const attributes = {
    mode,
    coordinate_transformation_mode: coordinates,
    ...(mode === 'nearest' ? { nearest_mode: nearest } : {}),
    ...(mode === 'cubic' ? { cubic_coeff_a: { float: net.one([-0.75, -0.5]) } } : {}),
  };
  const shape = [items, channels, ...output];
  return net.node('Resize', [x.name, '', '', net.ints(shape)], [shape], attributes);
};

const transpose: Draw = (net) => {
  const x = net.tensor((shape) => shape.length > 1);
  if (x === null) return false;
  const order = [...x.shape.keys()];
  for (let index = order.length - 1; index > 0; index--) {
    const other = net.whole(0, index);
    [order[index], order[other]] = [order[other] ?? 0, order[index] ?? 0];
  }
  return net.node('Transpose', [x.name], [order.map((axis) => x.shape[axis] ?? 1)], { perm: order });
};

const reshape: Draw = (net) => {
  const x = net.tensor((shape) => shape.length > 1);
  if (x === null) return false;
  const at = net.whole(0, x.shape.length - 1);
  const extent = x.shape[at] ?? 1;
  const factor = net.one(divisors(extent));
  const isSplit = net.chance(0.5) && x.shape.length < 5;
  const shape = isSplit
    ? [...x.shape.slice(0, at), factor, extent / factor, ...x.shape.slice(at + 1)]
    : [...x.shape.slice(0, at), extent * (x.shape[at + 1] ?? 1), ...x.shape.slice(at + 2)];
  return net.node('Reshape', [x.name, net.ints(shape)], [shape]);
};

const dense: Draw = (net) => {
  const x = net.tensor((shape) => shape.length > 1);
  if (x === null) return false;
  const [rows = 1] = x.shape;
  const inner = elementsOf(x.shape.slice(1));
  const out = net.one(CHANNELS);
  if (inner * out > MAX_ELEMENTS || !net.node('Flatten', [x.name], [[rows, inner]])) return false;
  const transB = net.whole(0, 1);
  const weights = net.floats(transB === 1 ? [out, inner] : [inner, out], Math.sqrt(3 / inner));
  const bias = net.floats(net.one([[out], [1, out], [1]]));
  return net.node('Gemm', [net.tensors.at(-1)?.name ?? '', weights, bias], [[rows, out]], { transB });
};

const matmul: Draw = (net) => {
  const x = net.tensor((shape) => shape.length > 1);
  if (x === null) return false;
  const inner = x.shape.at(-1) ?? 1;
  const out = net.one(CHANNELS);
  const weights = net.floats([inner, out], Math.sqrt(3 / inner));
  return net.node('MatMul', [x.name, weights], [[...x.shape.slice(0, -1), out]]);
};

const gram: Draw = (net) => {
  const x = net.tensor((shape) => shape.length > 1);
  if (x === null) return false;
  const rank = x.shape.length;
  const [rows = 1, inner = 1] = x.shape.slice(-2);
  const batch = x.shape.slice(0, -2);
  const perm = [...x.shape.keys()].slice(0, -2).concat([rank - 1, rank - 2]);
  if (rows * rows * elementsOf(batch) > MAX_ELEMENTS) return false;
  if (!net.node('Transpose', [x.name], [[...batch, inner, rows]], { perm })) return false;
  return net.node('MatMul', [x.name, net.tensors.at(-1)?.name ?? ''], [[...batch, rows, rows]]);
};

const batchNorm: Draw = (net) => {
  const x = net.image();
  if (x === null) return false;
  const channels = x.shape[1] ?? 1;
  const vectors = [
    net.floats([channels], 0.5, 1),
    net.floats([channels]),
    net.floats([channels]),
    net.floats([channels], 0.5, 1),
  ];
  return net.node('BatchNormalization', [x.name, ...vectors], [x.shape]);
};

const norm: Draw = (net) => {
  const x = net.image();
  if (x === null) return false;
  const channels = x.shape[1] ?? 1;
  if (net.chance(0.5)) {
    // Of few elements the deviation is too near to 0 to compare.
    if (elementsOf(x.shape.slice(2)) < 8) return false;
    return net.node('InstanceNormalization', [x.name, net.floats([channels]), net.floats([channels])], [x.shape]);
  }
  const last = x.shape.at(-1) ?? 1;
  if (last < 8) return false;
  return net.node('LayerNormalization', [x.name, net.floats([last]), net.floats([last])], [x.shape], { axis: -1 });
};

const lrn: Draw = (net) => {
  const x = net.tensor((shape) => shape.length === 4);
  return x !== null && net.node('LRN', [x.name], [x.shape], { size: net.one([1, 3, 5]), alpha: { float: 0.01 } });
};

const softmax: Draw = (net) => {
  const x = net.tensor((shape) => shape.length > 0);
  return (
    x !== null && net.node('Softmax', [x.name], [x.shape], { axis: net.whole(-x.shape.length, x.shape.length - 1) })
  );
};

const expand: Draw = (net) => {
  const x = net.tensor((shape) => shape.length < 5 && shape.length > 0);
  if (x === null) return false;
  const wider = x.shape.map((extent) => (extent === 1 ? net.whole(1, 5) : extent));
  const shape = net.chance(0.3) ? [net.whole(1, 3), ...wider] : wider;
  return net.node('Expand', [x.name, net.ints(shape)], [shape]);
};

const tile: Draw = (net) => {
  const x = net.tensor((shape) => shape.length > 0);
  if (x === null) return false;
  const axis = net.whole(0, x.shape.length - 1);
  const repeats = x.shape.map((_, index) => (index === axis ? net.whole(1, 3) : 1));
  return net.node(
    'Tile',
    [x.name, net.ints(repeats)],
    [x.shape.map((extent, index) => extent * (repeats[index] ?? 1))],
  );
};

const gather: Draw = (net) => {
  const x = net.tensor((shape) => shape.length > 1);
  if (x === null) return false;
  const axis = net.whole(0, x.shape.length - 1);
  const extent = x.shape[axis] ?? 1;
  const indices = Array.from({ length: net.one([1, 3, 80]) }, () => net.whole(-extent, extent - 1));
  const shape = x.shape.map((own, index) => (index === axis ? indices.length : own));
  return net.node('Gather', [x.name, net.ints(indices)], [shape], { axis });
};

/** A region that other values are written into. */
const scatter: Draw = (net) => {
  const x = net.tensor((shape) => shape.length > 1);
  if (x === null) return false;
  const [rows = 1, columns = 1, ...rest] = x.shape;
  const depth = net.whole(1, 2);
  const places = depth === 1 ? rows : rows * columns;
  const chosen = [...new Set(Array.from({ length: net.whole(1, 5) }, () => net.whole(0, places - 1)))];
  const indices = chosen.flatMap((place) => (depth === 1 ? [place] : [Math.floor(place / columns), place % columns]));
  const updates = net.floats([chosen.length, ...(depth === 1 ? [columns, ...rest] : rest)]);
  return net.node('ScatterND', [x.name, net.ints(indices, [chosen.length, depth]), updates], [x.shape]);
};

const blocks: Draw = (net) => {
  const x = net.tensor((shape) => shape.length === 4);
  if (x === null) return false;
  const [items = 1, channels = 1, height = 1, width = 1] = x.shape;
  const block = net.whole(2, 3);
  if (channels % (block * block) === 0) {
    const shape = [items, channels / (block * block), height * block, width * block];
    return net.node('DepthToSpace', [x.name], [shape], { blocksize: block, mode: net.one(['DCR', 'CRD']) });
  }
  if (height % block !== 0 || width % block !== 0) return false;
  const shape = [items, channels * block * block, height / block, width / block];
  return net.node('SpaceToDepth', [x.name], [shape], { blocksize: block });
};

const choose: Draw = (net) => {
  const x = net.tensor((shape) => shape.length > 0);
  if (x === null) return false;
  const limit = net.floats(narrowed(net, x.shape));
  const shape = broadcasts(x.shape, x.shape) ?? x.shape;
  // On both sides of the limit the same: the choice is continuous.
  if (!net.node('Greater', [x.name, limit], [shape])) return false;
  const condition = net.tensors.pop();
  return net.node('Where', [condition?.name ?? '', x.name, limit], [shape]);
};

const DRAWS: readonly Draw[] = [
  conv,
  conv,
  conv,
  conv,
  pointwise,
  pointwise,
  convTranspose,
  pool,
  pool,
  globalPool,
  activation,
  activation,
  activation,
  clip,
  gate,
  withConstant,
  withConstant,
  withTensor,
  withTensor,
  reducedGate,
  reduce,
  concat,
  concat,
  split,
  slice,
  pad,
  resize,
  transpose,
  reshape,
  dense,
  matmul,
  gram,
  batchNorm,
  norm,
  lrn,
  softmax,
  expand,
  tile,
  gather,
  scatter,
  blocks,
  choose,
];

/** Which network follows from the seed alone. */
export function randomNetwork(seed: number): RandomNetwork {
  const net = new Drawing(seed);
  const wanted = net.whole(2, 10);
  for (let tries = 0; net.nodes.length < wanted && tries < 100; tries++) net.one(DRAWS)(net);
  return net.network();
}
