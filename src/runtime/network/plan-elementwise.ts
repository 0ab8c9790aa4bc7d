/** Functions of one and two tensors, element by element. */

import { isFloat } from '../../ir/dtype.ts';
import type { ValueId } from '../../ir/graph.ts';
import { binaryCode, isRuntimeBinary, type RuntimeBinary } from '../kernels/binary.ts';
import { BLOCK, PIXEL_BYTES } from '../kernels/kernel.ts';
import { isRuntimeUnary, type RuntimeUnary } from '../kernels/unary-functions.ts';
import { planGather } from '../plan/channels.ts';
import { functionOf, MAX_AXES, planBinaryPlain, planMapPlain } from '../plan/elementwise.ts';
import { type Epilogue, LINEAR } from '../plan/epilogue.ts';
import { packChannels } from '../plan/panels.ts';
import type { Place } from '../plan/program.ts';
import type { ChannelAxis } from '../plan/repacking.ts';
import {
  type Blocked,
  blocksOf,
  type Extents,
  NO_HALO,
  newBlocked,
  pixelPlace,
  planeBytes,
  planesOf,
  rowBytes,
} from '../plan/tensor.ts';
import { shapeOf } from './analysed-model.ts';
import { activationOf, batchNormAffine } from './fusion.ts';
import type { Layer } from './layer.ts';
import { channelPosition, slicedExtentsOf } from './layouts.ts';
import { inputOf, type NodePlanner, type PlanContext } from './planner.ts';
import type { NetworkValues } from './values.ts';

/** Functions that turn the zero of an empty lane into infinity: they are computed on row-major tensors. */
const INFINITE_AT_ZERO: ReadonlySet<RuntimeUnary> = new Set(['log', 'reciprocal', 'rsqrt']);

function planMap(values: NetworkValues, input: ValueId, output: ValueId, epilogue: Epilogue): void {
  const axis = values.blockedAxis(input);
  const isSafe = epilogue.activation === null || !INFINITE_AT_ZERO.has(epilogue.activation);
  if (axis !== null && isSafe)
    mapBlocked(values, values.blocked(input, axis), values.newBlocked(output, axis), epilogue);
  else planMapPlain(values.builder, values.plain(input), values.newPlain(output), epilogue);
}

function mapBlocked({ builder }: NetworkValues, x: Blocked, y: Blocked, epilogue: Epilogue): void {
  builder.step('unary', planesOf(y) * y.height, {
    input: pixelPlace(x, 0, 0),
    output: pixelPlace(y, 0, 0),
    rows: y.height,
    inputRow: rowBytes(x),
    inputPlane: planeBytes(x),
    outputRow: rowBytes(y),
    outputPlane: planeBytes(y),
    vectors: y.width * 2,
    ...functionOf(epilogue),
  });
}

export const planUnary: NodePlanner<'unary'> = {
  reject: ({ node }) => (isRuntimeUnary(node.attrs.fn) ? null : `the runtime has no kernel for ${node.attrs.fn}`),
  plan: (layer, values, { constants }) => {
    planMap(values, inputOf(layer, 0), layer.output, activationOf(layer.node, constants) ?? LINEAR);
    return 'elementwise';
  },
};

export const planClip: NodePlanner<'clip'> = {
  reject: ({ node }, { constants }) =>
    activationOf(node, constants) === null ? 'its bounds are computed while it runs' : null,
  plan: (layer, values, { constants }) => {
    planMap(values, inputOf(layer, 0), layer.output, activationOf(layer.node, constants) ?? LINEAR);
    return 'elementwise';
  },
};

/** An operand in blocks: where it is, and how far from plane to plane, row to row and pixel to pixel. */
interface Operand {
  readonly place: Place;
  readonly plane: number;
  readonly row: number;
  readonly pixel: number;
}

const wholeOperand = (tensor: Blocked): Operand => ({
  place: pixelPlace(tensor, 0, 0),
  plane: planeBytes(tensor),
  row: rowBytes(tensor),
  pixel: PIXEL_BYTES,
});

/** One operand after the other: y = fn(… fn(x₀, x₁) …, xₙ), each result in the place of the one before. */
function planSum(
  values: NetworkValues,
  fn: RuntimeBinary,
  ids: readonly ValueId[],
  output: ValueId,
  epilogue: Epilogue,
): void {
  const axis = ids.map(values.blockedAxis).find((known) => known !== null) ?? null;
  const operands = axis === null ? null : blockedOperands(values, fn, ids, output, axis);
  if (axis !== null && operands !== null) {
    const y = values.newBlocked(output, axis);
    chain(operands, wholeOperand(y), (a, b, isLast) => sumBlocked(values, fn, a, b, y, isLast ? epilogue : LINEAR));
    return;
  }
  const tensors = ids.map((id) => values.plain(id));
  const y = values.newPlain(output);
  chain(tensors, y, (a, b) => planBinaryPlain(values.builder, fn, a, b, y));
  if (epilogue !== LINEAR) planMapPlain(values.builder, y, y, epilogue);
}

/** Joins the first two, and then each of the others with the result so far. */
function chain<T>(operands: readonly T[], result: T, join: (a: T, b: T, isLast: boolean) => void): void {
  const [first, ...others] = operands;
  if (first === undefined) return;
  for (const [index, other] of others.entries()) join(index === 0 ? first : result, other, index === others.length - 1);
}

/** The operands in blocks of channels; null where one of them needs the row-major kernel. */
function blockedOperands(
  values: NetworkValues,
  fn: RuntimeBinary,
  ids: readonly ValueId[],
  output: ValueId,
  axis: ChannelAxis,
): readonly Operand[] | null {
  if (!isSafeInBlocks(values, fn, output, axis)) return null;
  const operands: Operand[] = [];
  for (const id of ids) {
    const operand = blockedOperand(values, id, output, axis);
    if (operand === null) return null;
    operands.push(operand);
  }
  return operands;
}

const DIVIDES: ReadonlySet<RuntimeBinary> = new Set(['div', 'mod']);

/** 0/0 in an empty lane would be no number. */
function isSafeInBlocks(values: NetworkValues, fn: RuntimeBinary, output: ValueId, axis: ChannelAxis): boolean {
  const extents = slicedExtentsOf(values.shape(output), axis);
  return extents !== null && (!DIVIDES.has(fn) || extents.channels % BLOCK === 0);
}

/** The operand in blocks of channels; null where its shape needs the row-major kernel. */
function blockedOperand(values: NetworkValues, id: ValueId, output: ValueId, axis: ChannelAxis): Operand | null {
  const target = values.shape(output);
  const shape = values.shape(id);
  const extents = slicedExtentsOf(target, axis);
  if (extents === null) return null;
  if (shape.join() === target.join() && !values.constants.isConstant(id)) {
    return wholeOperand(values.blocked(id, axis));
  }
  const position = channelPosition(target.length, axis) - (target.length - shape.length);
  const isChannelVector = shape.every((extent, index) => index === position || extent === 1);
  const constant = values.constants.floats(id);
  if (constant !== null && isChannelVector) {
    const channels = constant.length === 1 ? new Float32Array(extents.channels).fill(constant[0] ?? 0) : constant;
    if (channels.length !== extents.channels) return null;
    const each = blocksOf(extents.channels) * BLOCK;
    const place = values.builder.constant(each * extents.items, () =>
      repeat(packChannels(channels, extents.channels), extents.items),
    );
    return { place, plane: PIXEL_BYTES, row: 0, pixel: 0 };
  }
  const own = slicedExtentsOf(shape, axis);
  if (constant === null && shape.length === target.length && own !== null && isOneChannel(own, extents)) {
    return spreadOperand(values, values.blocked(id, axis));
  }
  const isGate = shape.length === target.length && own?.items === extents.items && own.channels === extents.channels;
  if (constant !== null || !isGate || own.height !== 1 || own.width !== 1) return null;
  const tensor = values.blocked(id, axis);
  return { place: pixelPlace(tensor, 0, 0), plane: planeBytes(tensor), row: 0, pixel: 0 };
}

/** One channel for all of an image's: what a spatial attention gate multiplies with. Several items have one each. */
const isOneChannel = (own: Extents, target: Extents): boolean =>
  target.items === 1 && own.channels === 1 && own.height === target.height && own.width === target.width;

/** Copies of the only channel fill one block, which all blocks of the other operand read. */
function spreadOperand({ builder }: NetworkValues, x: Blocked): Operand {
  const spread = newBlocked(builder, { ...x, channels: BLOCK }, NO_HALO);
  planGather(
    builder,
    x,
    spread,
    0,
    Array.from({ length: BLOCK }, () => 0),
  );
  return { place: pixelPlace(spread, 0, 0), plane: 0, row: rowBytes(spread), pixel: PIXEL_BYTES };
}

function repeat(values: Float32Array, times: number): Float32Array {
  const repeated = new Float32Array(values.length * times);
  for (let i = 0; i < times; i++) repeated.set(values, i * values.length);
  return repeated;
}

function sumBlocked(
  { builder }: NetworkValues,
  fn: RuntimeBinary,
  a: Operand,
  b: Operand,
  y: Blocked,
  { low, high }: Epilogue,
): void {
  builder.step('binaryBlocked', planesOf(y) * y.height, {
    a: a.place,
    b: b.place,
    output: pixelPlace(y, 0, 0),
    fn: binaryCode(fn),
    height: y.height,
    width: y.width,
    aPlane: a.plane,
    aRow: a.row,
    aPixel: a.pixel,
    bPlane: b.plane,
    bRow: b.row,
    bPixel: b.pixel,
    outputPlane: planeBytes(y),
    outputRow: rowBytes(y),
    low,
    high,
  });
}

/** x² and √x are spelt as powers, too. */
const POWERS: ReadonlyMap<number, RuntimeUnary> = new Map([
  [2, 'square'],
  [0.5, 'sqrt'],
  [-1, 'reciprocal'],
  [-0.5, 'rsqrt'],
]);

/** Powers up to this one are products. */
const MAX_FACTORS = 8;

/** The constant exponent of a power; null where only a run could tell, or it is no power. */
function exponentOf(layer: Layer<'binary'>, { constants }: PlanContext): number | null {
  if (layer.node.attrs.fn !== 'pow') return null;
  const exponent = constants.numbers(inputOf(layer, 1));
  return exponent?.length === 1 ? (exponent[0] ?? null) : null;
}

function planPower({ node, output, epilogue }: Layer<'binary'>, values: NetworkValues, exponent: number): void {
  const base = node.inputs[0] ?? 0;
  const known = POWERS.get(exponent);
  if (known !== undefined) planMap(values, base, output, { ...LINEAR, activation: known });
  else if (Number.isInteger(exponent) && exponent > 1 && exponent <= MAX_FACTORS) {
    const factors = Array.from({ length: exponent }, () => base);
    planSum(values, 'mul', factors, output, epilogue);
  } else powerByLogarithm(values, base, output, exponent);
}

/** x^p = e^(p · ln x). */
function powerByLogarithm(values: NetworkValues, base: ValueId, output: ValueId, exponent: number): void {
  const { builder } = values;
  const y = values.newPlain(output);
  const place = builder.constant(BLOCK, () => new Float32Array(BLOCK).fill(exponent));
  planMapPlain(builder, values.plain(base), y, { ...LINEAR, activation: 'log' });
  planBinaryPlain(builder, 'mul', y, { kind: 'plain', place, shape: [] }, y);
  planMapPlain(builder, y, y, { ...LINEAR, activation: 'exp' });
}

function tooManyAxes({ output }: Layer, { source }: PlanContext): string | null {
  return shapeOf(source, output).length > MAX_AXES ? `it has more than ${MAX_AXES} axes` : null;
}

const dividesIntegers = (layer: Layer<'binary'>, { source }: PlanContext): boolean => {
  const fact = source.facts[layer.node.outputs[0] ?? -1];
  return layer.node.attrs.fn === 'div' && fact?.type === 'tensor' && fact.dtype !== null && !isFloat(fact.dtype);
};

export const planBinary: NodePlanner<'binary'> = {
  reject: (layer, context) => {
    const { fn, alignAxis, truncates } = layer.node.attrs;
    if (alignAxis !== null) return 'its operands are aligned as before operator set 7';
    if (dividesIntegers(layer, context)) return 'it divides integers';
    if (fn === 'mod' && truncates) return "its remainder has the dividend's sign";
    const isKnown = isRuntimeBinary(fn) || exponentOf(layer, context) !== null;
    return isKnown ? tooManyAxes(layer, context) : `the runtime has no kernel for ${fn}`;
  },
  plan: (layer, values, context) => {
    const { fn } = layer.node.attrs;
    const exponent = exponentOf(layer, context);
    if (exponent !== null) planPower(layer, values, exponent);
    else if (isRuntimeBinary(fn))
      planSum(values, fn, [inputOf(layer, 0), inputOf(layer, 1)], layer.output, layer.epilogue);
    return 'elementwise';
  },
};

const VARIADIC = { max: 'max', min: 'min', sum: 'add', mean: 'add' } as const;

export const planVariadic: NodePlanner<'variadic'> = {
  reject: tooManyAxes,
  plan: ({ node, output }, values) => {
    const { fn } = node.attrs;
    const ids = node.inputs.filter((id) => id !== null);
    const [only, ...others] = ids;
    if (only !== undefined && others.length === 0) planMap(values, only, output, LINEAR);
    else planSum(values, VARIADIC[fn], ids, output, LINEAR);
    if (fn === 'mean') scaleInPlace(values, output, 1 / ids.length);
    return 'elementwise';
  },
};

function scaleInPlace(values: NetworkValues, id: ValueId, factor: number): void {
  const axis = values.blockedAxis(id);
  const place = values.builder.constant(BLOCK, () => new Float32Array(BLOCK).fill(factor));
  if (axis === null) {
    const y = values.plain(id);
    planBinaryPlain(values.builder, 'mul', y, { kind: 'plain', place, shape: [] }, y);
    return;
  }
  const y = values.blocked(id, axis);
  sumBlocked(values, 'mul', wholeOperand(y), { place, plane: 0, row: 0, pixel: 0 }, y, LINEAR);
}

export const planPrelu: NodePlanner<'prelu'> = {
  reject: tooManyAxes,
  plan: (layer, values) => {
    planSum(values, 'prelu', [inputOf(layer, 0), inputOf(layer, 1)], layer.output, LINEAR);
    return 'elementwise';
  },
};

/** A BatchNorm that no convolution took in: a scale and a shift for each channel. */
export const planBatchNorm: NodePlanner<'batchNorm'> = {
  reject: ({ node }, { constants }) =>
    batchNormAffine(constants, node) === null ? 'it is not in inference form' : null,
  plan: (layer, values, { constants }) => {
    const affine = batchNormAffine(constants, layer.node);
    const input = inputOf(layer, 0);
    const { channelAxis } = layer.node.attrs;
    const axis: ChannelAxis = channelAxis === 1 ? 'first' : 'last';
    const x = values.blocked(input, axis);
    const y = values.newBlocked(layer.output, axis);
    const vector = (elements: Float32Array): Operand => ({
      place: values.builder.constant(planesOf(x) * BLOCK, () => repeat(packChannels(elements, x.channels), x.items)),
      plane: PIXEL_BYTES,
      row: 0,
      pixel: 0,
    });
    if (!affine) return 'elementwise';
    sumBlocked(values, 'mul', wholeOperand(x), vector(affine.scale), y, LINEAR);
    sumBlocked(values, 'add', wholeOperand(y), vector(affine.shift), y, LINEAR);
    return 'elementwise';
  },
};
