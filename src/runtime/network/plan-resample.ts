/** Resize by nearest neighbour and linearly, along height and width. */
import { PIXEL_BYTES } from '../kernels/kernel.ts';
import type { ProgramBuilder } from '../plan/program.ts';
import { pixelPlace, planeBytes, planesOf, rowBytes } from '../plan/tensor.ts';
import { shapeOf } from './analysed-model.ts';
import type { Layer } from './layer.ts';
import { extentsOf } from './layouts.ts';
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
function tableOf(builder: ProgramBuilder, neighbours: readonly Neighbours[], strideBytes: number) {
  return builder.constant(neighbours.length * 3, () => {
    const words = new Int32Array(neighbours.length * 3);
    const floats = new Float32Array(words.buffer);
    for (const [index, { first, second, weight }] of neighbours.entries()) {
      words[index * 3] = first * strideBytes;
      words[index * 3 + 1] = second * strideBytes;
      floats[index * 3 + 2] = weight;
    }
    return words;
  });
}

/** Scales of height and width: given ones as they are, else from the extents. */
function scalesOf(layer: Resize, { source, constants }: PlanContext): readonly [number, number] {
  const input = shapeOf(source, inputOf(layer, 0));
  const output = shapeOf(source, layer.output);
  const id = layer.node.inputs[1] ?? null;
  const given = id === null ? null : constants.numbers(id);
  const axes = layer.node.attrs.axes ?? input.map((_, axis) => axis);
  const scale = (axis: number): number => given?.[axes.indexOf(axis)] ?? (output[axis] ?? 1) / (input[axis] ?? 1);
  return input.length === 3 ? [1, scale(2)] : [scale(2), scale(3)];
}

export const planResize: NodePlanner<'resize'> = {
  reject: (layer, { source }) => {
    const { mode, coordinates } = layer.node.attrs;
    const input = shapeOf(source, inputOf(layer, 0));
    const output = shapeOf(source, layer.output);
    if (mode === 'cubic') return 'the runtime has no kernel for cubic interpolation';
    if (COORDINATES[coordinates] === undefined) return `the runtime has no kernel for ${coordinates} coordinates`;
    const isSpatial = input.length >= 3 && input.length <= 4 && input[0] === output[0] && input[1] === output[1];
    return isSpatial ? null : 'it resizes other axes than height and width';
  },
  plan: (layer, values, context) => {
    const { attrs } = layer.node;
    const x = values.blocked(inputOf(layer, 0), 'first');
    const y = values.newBlocked(layer.output, 'first');
    const [scaleY, scaleX] = scalesOf(layer, context);
    const extents = extentsOf(values.shape(inputOf(layer, 0)), 'first') ?? x;
    values.builder.step('resize', planesOf(y) * y.height, {
      input: pixelPlace(x, 0, 0),
      output: pixelPlace(y, 0, 0),
      height: y.height,
      width: y.width,
      inputPlane: planeBytes(x),
      outputPlane: planeBytes(y),
      outputRow: rowBytes(y),
      rowTable: tableOf(values.builder, neighboursOf(attrs, extents.height, y.height, scaleY), rowBytes(x)),
      columnTable: tableOf(values.builder, neighboursOf(attrs, extents.width, y.width, scaleX), PIXEL_BYTES),
    });
    return 'resize';
  },
};
