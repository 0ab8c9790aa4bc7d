/** Padding: zeroes around a window's plane as a halo, all else by copies. */
import { stridesOf } from '../../ir/extents.ts';
import { type Piece, planPieces } from '../plan/pieces.ts';
import type { ChannelAxis } from '../plan/repacking.ts';
import { planCopy } from '../plan/strided.ts';
import { elementsOf, type Halo, newPlain, type Plain } from '../plan/tensor.ts';
import { shapeOf } from './analysed-model.ts';
import type { Layer } from './layer.ts';
import { normaliseAxis } from './layouts.ts';
import { inputOf, type NodePlanner, type PlanContext } from './planner.ts';
import type { NetworkValues } from './values.ts';

type Pad = Layer<'pad'>;

interface Padding {
  readonly before: readonly number[];
  readonly behind: readonly number[];
  readonly value: number;
}

/** Pads before and behind each axis, and the value there; null where only a run could tell. */
function paddingOf(layer: Pad, { source, constants }: PlanContext): Padding | null {
  const rank = shapeOf(source, inputOf(layer, 0)).length;
  const [pads, value, axes] = [1, 2, 3].map((index) => {
    const id = layer.node.inputs[index] ?? null;
    return id === null ? undefined : constants.numbers(id);
  });
  if (!pads || value === null || axes === null) return null;
  const before = Array.from({ length: rank }, () => 0);
  const behind = Array.from({ length: rank }, () => 0);
  const count = pads.length / 2;
  for (let index = 0; index < count; index++) {
    const axis = normaliseAxis(axes?.[index] ?? index, rank);
    before[axis] = pads[index] ?? 0;
    behind[axis] = pads[index + count] ?? 0;
  }
  return { before, behind, value: value?.[0] ?? 0 };
}

/** Zeroes around height and width; null where the pad does something else. */
function spatialPadding(layer: Pad, context: PlanContext, axis: ChannelAxis): Halo | null {
  const pads = paddingOf(layer, context);
  const rank = shapeOf(context.source, layer.output).length;
  if (pads === null || pads.value !== 0 || rank !== 4 || layer.node.attrs.mode !== 'constant') return null;
  if ([...pads.before, ...pads.behind].some((extent) => extent < 0)) return null;
  const [y, x] = axis === 'first' ? [2, 3] : [1, 2];
  const others = [0, 1, 2, 3].filter((index) => index !== y && index !== x);
  if (others.some((index) => pads.before[index] !== 0 || pads.behind[index] !== 0)) return null;
  return {
    top: pads.before[y] ?? 0,
    left: pads.before[x] ?? 0,
    bottom: pads.behind[y] ?? 0,
    right: pads.behind[x] ?? 0,
  };
}

const addHalos = (a: Halo, b: Halo): Halo => ({
  top: a.top + b.top,
  left: a.left + b.left,
  bottom: a.bottom + b.bottom,
  right: a.right + b.right,
});

/** The axis along which the pad is only around height and width. */
const paddedAxis = (layer: Pad, context: PlanContext): ChannelAxis | null =>
  (['first', 'last'] as const).find((axis) => spatialPadding(layer, context, axis) !== null) ?? null;

/** Elements of an axis that stand in line: the first one, the step to the next, the position behind the last one. */
interface Run {
  readonly first: number;
  readonly step: number;
  readonly end: number;
}

/** What stands from a position on that may be before, inside or behind an axis of more than one element. */
const RUNS: Readonly<Record<string, (position: number, extent: number) => Run>> = {
  edge: (position, extent) => {
    if (position < 0) return { first: 0, step: 0, end: 0 };
    if (position < extent) return { first: position, step: 1, end: extent };
    return { first: extent - 1, step: 0, end: Number.POSITIVE_INFINITY };
  },
  /** To and fro between the first and the last one. */
  reflect: (position, extent) => {
    const span = extent - 1;
    const turns = Math.floor(position / span);
    const along = position - turns * span;
    const end = (turns + 1) * span + 1;
    return turns % 2 === 0 ? { first: along, step: 1, end } : { first: span - along, step: -1, end };
  },
  wrap: (position, extent) => {
    const rounds = Math.floor(position / extent);
    return { first: position - rounds * extent, step: 1, end: (rounds + 1) * extent };
  },
};

/** A pad that goes round the tensor again and again would be a copy each time. */
const MAX_PIECES = 1024;

/** Run by run, since a pad may be any number that a file holds; null where there are too many of them. */
function piecesAlong(mode: string, extent: number, before: number, behind: number): readonly Piece[] | null {
  const runFrom = RUNS[mode];
  const end = extent + behind;
  if (runFrom === undefined || extent === 0) return null;
  if (extent === 1) return [{ first: 0, count: Math.max(0, before + end), step: 0 }];
  const pieces: Piece[] = [];
  for (let position = -before; position < end; ) {
    if (pieces.length === MAX_PIECES) return null;
    const run = runFrom(position, extent);
    const count = Math.min(run.end, end) - position;
    pieces.push({ first: run.first, count, step: run.step });
    position += count;
  }
  return pieces;
}

export const planPad: NodePlanner<'pad'> = {
  reject: (layer, context) => {
    const { mode } = layer.node.attrs;
    const pads = paddingOf(layer, context);
    if (pads === null) return 'its pads are computed while it runs';
    const shape = shapeOf(context.source, inputOf(layer, 0));
    if (shape.length > 6) return 'it has more than six axes';
    if (mode === 'constant') return null;
    if (RUNS[mode] === undefined) return `the runtime has no kernel for ${mode} padding`;
    const pieces = shape.map((extent, axis) =>
      piecesAlong(mode, extent, pads.before[axis] ?? 0, pads.behind[axis] ?? 0),
    );
    return pieces.includes(null) ? 'it pads by too many times the extent' : null;
  },
  halos: (layer, context, output) => {
    const axis = paddedAxis(layer, context);
    const pads = axis === null ? null : spatialPadding(layer, context, axis);
    return pads === null ? [] : [[inputOf(layer, 0), addHalos(pads, output)]];
  },
  plan: (layer, values, context) => {
    const axis = paddedAxis(layer, context);
    const halo = axis === null ? null : spatialPadding(layer, context, axis);
    const known = values.blockedAxis(inputOf(layer, 0));
    if (axis !== null && halo !== null && (known === null || known === axis)) {
      padInHalo(layer, values, axis, halo);
      return 'none';
    }
    const pads = paddingOf(layer, context);
    if (pads === null) return 'copy';
    if (layer.node.attrs.mode === 'constant') padWithValue(layer, values, pads);
    else padFromTensor(layer, values, pads);
    return 'copy';
  },
};

/** The zeroes are there already: the padded tensor is the same memory with less of it as halo. */
function padInHalo(layer: Pad, values: NetworkValues, axis: ChannelAxis, pads: Halo): void {
  const x = values.blocked(inputOf(layer, 0), axis);
  const halo = {
    top: x.halo.top - pads.top,
    left: x.halo.left - pads.left,
    bottom: x.halo.bottom - pads.bottom,
    right: x.halo.right - pads.right,
  };
  const height = x.height + pads.top + pads.bottom;
  const width = x.width + pads.left + pads.right;
  values.setBlocked(layer.output, { ...x, height, width, halo }, axis);
}

/** One value everywhere, and the tensor on top of it; negative pads leave some of it out. */
function padWithValue(layer: Pad, values: NetworkValues, { before, behind, value }: Padding): void {
  const x = values.plain(inputOf(layer, 0));
  const y = values.newPlain(layer.output);
  const [own, strides] = [stridesOf(x.shape), stridesOf(y.shape)];
  const isCropped = [...before, ...behind].every((extent) => extent <= 0);
  if (!isCropped) values.builder.step('fill', Math.ceil(elementsOf(y.shape) / 4), { output: y.place, value });
  const kept = x.shape.map((extent, axis) =>
    Math.max(0, extent + Math.min(0, before[axis] ?? 0) + Math.min(0, behind[axis] ?? 0)),
  );
  const offsetIn = (each: readonly number[], sign: number): number =>
    before.reduce((sum, extent, axis) => sum + Math.max(0, sign * extent) * (each[axis] ?? 0), 0);
  planCopy(
    values.builder,
    kept,
    { place: x.place, offset: offsetIn(own, -1), strides: own },
    { place: y.place, offset: offsetIn(strides, 1), strides },
  );
}

/** Elements of the tensor itself, axis by axis. */
function padFromTensor(layer: Pad, values: NetworkValues, { before, behind }: Padding): void {
  let x: Plain = values.plain(inputOf(layer, 0));
  const padded = x.shape.flatMap((_, axis) => (before[axis] === 0 && behind[axis] === 0 ? [] : [axis]));
  for (const axis of padded) {
    const extent = x.shape[axis] ?? 1;
    const pieces = piecesAlong(layer.node.attrs.mode, extent, before[axis] ?? 0, behind[axis] ?? 0) ?? [];
    const shape = x.shape.map((own, index) =>
      index === axis ? pieces.reduce((sum, { count }) => sum + count, 0) : own,
    );
    const y = newPlain(values.builder, shape);
    planPieces(values.builder, x, y, axis, pieces);
    x = y;
  }
  values.setPlain(layer.output, x);
}
