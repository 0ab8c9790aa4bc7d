/** Resize by nearest neighbour, linearly and by cubic splines, along height and width, and the depth of volumes. */
import { PIXEL_BYTES } from '../kernels/kernel.ts';
import type { Place, ProgramBuilder } from '../plan/program.ts';
import type { ChannelAxis } from '../plan/repacking.ts';
import {
  type Blocked,
  itemBytes,
  NO_HALO,
  newBlocked,
  pixelPlace,
  planeBytes,
  planesOf,
  rowBytes,
} from '../plan/tensor.ts';
import { shapeOf } from './analysed-model.ts';
import type { Layer } from './layer.ts';
import { channelPosition, slicedExtentsOf } from './layouts.ts';
import { inputOf, type NodePlanner, type PlanContext } from './planner.ts';

type Resize = Layer<'resize'>;

/** Where an output position lies in the input (ONNX operator Resize). `scale` is the given one, or output / input. */
const COORDINATES: Readonly<
  Record<string, (position: number, scale: number, input: number, output: number) => number>
> = {
  half_pixel: (position, scale) => (position + 0.5) / scale - 0.5,
  pytorch_half_pixel: (position, scale, _, output) => (output > 1 ? (position + 0.5) / scale - 0.5 : 0),
  align_corners: (position, _, input, output) => (output > 1 ? (position * (input - 1)) / (output - 1) : 0),
  asymmetric: (position, scale) => position / scale,
};

/** Which of two neighbours is nearest. */
const NEAREST: Readonly<Record<string, (position: number) => number>> = {
  round_prefer_floor: (position) => Math.ceil(position - 0.5),
  round_prefer_ceil: (position) => Math.floor(position + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Two neighbours of an output position, and how much the second weighs. */
interface Neighbours {
  readonly first: number;
  readonly second: number;
  readonly weight: number;
}

function neighboursOf(
  attrs: Resize['node']['attrs'],
  input: number,
  output: number,
  scale: number,
): readonly Neighbours[] {
  const locate = COORDINATES[attrs.coordinates] ?? COORDINATES.half_pixel;
  const round = NEAREST[attrs.nearest] ?? Math.floor;
  const inside = (position: number): number => Math.max(0, Math.min(input - 1, position));
  return Array.from({ length: output }, (_, position) => {
    const at = locate ? locate(position, scale, input, output) : position;
    if (attrs.mode === 'nearest') return { first: inside(round(at)), second: inside(round(at)), weight: 0 };
    const floor = Math.floor(inside(at));
    return { first: floor, second: inside(floor + 1), weight: inside(at) - floor };
  });
}

/** Three words a position: byte offsets of both neighbours, and the second's weight. */
const tableOf = (builder: ProgramBuilder, neighbours: readonly Neighbours[], strideBytes: number) =>
  wordTable(
    builder,
    neighbours.map(({ first, second, weight }) => ({
      offsets: [first * strideBytes, second * strideBytes],
      weights: [weight],
    })),
  );

/** Byte offsets, then weights, of each position. */
function wordTable(
  builder: ProgramBuilder,
  positions: readonly { readonly offsets: readonly number[]; readonly weights: readonly number[] }[],
) {
  const each = positions.reduce((most, { offsets, weights }) => Math.max(most, offsets.length + weights.length), 0);
  return builder.constant(positions.length * each, () => {
    const words = new Int32Array(positions.length * each);
    const floats = new Float32Array(words.buffer);
    for (const [index, { offsets, weights }] of positions.entries()) {
      words.set(offsets, index * each);
      floats.set(weights, index * each + offsets.length);
    }
    return words;
  });
}

/**
 * Weights of the four neighbours of a position, `fraction` behind the second (Keys, Cubic convolution interpolation, 1981,
 * with a as ONNX calls it).
 */
function cubicWeights(fraction: number, a: number): readonly number[] {
  const near = (x: number): number => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number): number => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(1 + fraction), near(fraction), near(1 - fraction), far(2 - fraction)];
}

/** Positions outside repeat the edge, or weigh nothing. */
function cubicTable(
  builder: ProgramBuilder,
  { coordinates, cubicCoefficient, excludesOutside }: Resize['node']['attrs'],
  extents: { readonly input: number; readonly output: number; readonly scale: number; readonly strideBytes: number },
) {
  const { input, output, scale, strideBytes } = extents;
  const locate = COORDINATES[coordinates] ?? COORDINATES.half_pixel;
  const positions = Array.from({ length: output }, (_, position) => {
    const at = locate ? locate(position, scale, input, output) : position;
    const taps = [-1, 0, 1, 2].map((offset) => Math.floor(at) + offset);
    const all = cubicWeights(at - Math.floor(at), cubicCoefficient);
    const counted = all.map((weight, tap) => (excludesOutside && !isInside(taps[tap] ?? 0, input) ? 0 : weight));
    const sum = excludesOutside ? counted.reduce((total, weight) => total + weight, 0) : 1;
    return {
      offsets: taps.map((tap) => Math.max(0, Math.min(input - 1, tap)) * strideBytes),
      weights: counted.map((weight) => weight / sum),
    };
  });
  return wordTable(builder, positions);
}

const isInside = (position: number, extent: number): boolean => position >= 0 && position < extent;

/** Scales of depth, height and width: given ones as they are, else from the extents. */
function scalesOf(
  layer: Resize,
  axis: ChannelAxis,
  { source, constants }: PlanContext,
): readonly [depth: number, height: number, width: number] {
  const input = shapeOf(source, inputOf(layer, 0));
  const output = shapeOf(source, layer.output);
  const id = layer.node.inputs[1] ?? null;
  const given = id === null ? null : constants.numbers(id);
  const axes = layer.node.attrs.axes ?? input.map((_, axis) => axis);
  const scale = (at: number): number => given?.[axes.indexOf(at)] ?? (output[at] ?? 1) / (input[at] ?? 1);
  const first = axis === 'first' ? 2 : 1;
  const scales = Array.from({ length: input.length - 2 }, (_, index) => scale(first + index));
  return [scales.at(-3) ?? 1, scales.at(-2) ?? 1, scales.at(-1) ?? 1];
}

/** Where the channels can be: items and channels stay as many as they are. */
function channelAxes(layer: Resize, { source }: PlanContext): readonly ChannelAxis[] {
  const input = shapeOf(source, inputOf(layer, 0));
  const output = shapeOf(source, layer.output);
  if (input.length < 3 || input.length > 5 || input[0] !== output[0]) return [];
  return (['first', 'last'] as const).filter((axis) => {
    const position = channelPosition(input.length, axis);
    return input[position] === output[position];
  });
}

export const planResize: NodePlanner<'resize'> = {
  reject: (layer, context) => {
    const { coordinates, antialiases } = layer.node.attrs;
    if (antialiases) return 'the runtime has no kernel for resizing with antialiasing';
    if (COORDINATES[coordinates] === undefined) return `the runtime has no kernel for ${coordinates} coordinates`;
    if (channelAxes(layer, context).length === 0) return 'it resizes items or channels';
    const isVolume = shapeOf(context.source, layer.output).length > 4;
    return isVolume && layer.node.attrs.mode === 'cubic'
      ? 'the runtime has no kernel for cubic resizing of volumes'
      : null;
  },
  plan: (layer, values, context) => {
    const { attrs } = layer.node;
    const axes = channelAxes(layer, context);
    const known = values.blockedAxis(inputOf(layer, 0));
    const axis = axes.find((candidate) => candidate === known) ?? axes[0] ?? 'first';
    const x = values.blocked(inputOf(layer, 0), axis);
    const [scaleZ, scaleY, scaleX] = scalesOf(layer, axis, context);
    const input = slicedExtentsOf(values.shape(inputOf(layer, 0)), axis) ?? x;
    const output = slicedExtentsOf(values.shape(layer.output), axis) ?? x;
    const { builder } = values;
    if (input.items === output.items && scaleZ === 1) {
      const y = values.newBlocked(layer.output, axis);
      return planPlanes(builder, attrs, planesIn(x), planesIn(y), planesOf(y), [scaleY, scaleX]);
    }
    // Slice by slice first; then the slices of a volume are the rows of an image, each as wide as a slice has pixels.
    const flat = newBlocked(builder, { ...output, items: input.items }, NO_HALO);
    planPlanes(builder, attrs, planesIn(x), planesIn(flat), planesOf(flat), [scaleY, scaleX]);
    const y = newBlocked(builder, output, NO_HALO);
    const [volumes = 1] = values.shape(layer.output);
    const [from, to] = [slicesIn(flat, volumes), slicesIn(y, volumes)];
    planPlanes(builder, attrs, from, to, volumes, [scaleZ, 1]);
    values.setBlocked(layer.output, y, axis);
    return 'resize';
  },
};

/** Where the planes are that are resized together. */
interface Planes {
  readonly place: Place;
  readonly plane: number;
  readonly row: number;
  readonly height: number;
  readonly width: number;
}

const planesIn = (tensor: Blocked): Planes => ({
  place: pixelPlace(tensor, 0, 0),
  plane: planeBytes(tensor),
  row: rowBytes(tensor),
  height: tensor.height,
  width: tensor.width,
});

const slicesIn = (tensor: Blocked, volumes: number): Planes => ({
  place: tensor.place,
  plane: (tensor.items / volumes) * itemBytes(tensor),
  row: itemBytes(tensor),
  height: tensor.items / volumes,
  width: itemBytes(tensor) / PIXEL_BYTES,
});

function planPlanes(
  builder: ProgramBuilder,
  attrs: Resize['node']['attrs'],
  x: Planes,
  y: Planes,
  count: number,
  [scaleY, scaleX]: readonly [number, number],
): string {
  const shared = {
    input: x.place,
    output: y.place,
    height: y.height,
    width: y.width,
    inputPlane: x.plane,
    outputPlane: y.plane,
    outputRow: y.row,
  };
  const rows = { input: x.height, output: y.height, scale: scaleY, strideBytes: x.row };
  const columns = { input: x.width, output: y.width, scale: scaleX, strideBytes: PIXEL_BYTES };
  const units = count * y.height;
  if (attrs.mode === 'cubic') {
    const [rowTable, columnTable] = [cubicTable(builder, attrs, rows), cubicTable(builder, attrs, columns)];
    builder.step('resizeCubic', units, { ...shared, rowTable, columnTable });
    return 'resize-cubic';
  }
  const rowTable = tableOf(builder, neighboursOf(attrs, rows.input, rows.output, scaleY), rows.strideBytes);
  const columnTable = tableOf(builder, neighboursOf(attrs, columns.input, columns.output, scaleX), PIXEL_BYTES);
  builder.step('resize', units, { ...shared, rowTable, columnTable });
  return 'resize';
}
