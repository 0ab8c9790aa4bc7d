import type { ValueId } from '../../../ir/graph.ts';
import type { BinaryFunction, ReduceFunction, UnaryFunction } from '../../../ir/operators.ts';
import { dtypeNamed } from '../dtype-policy.ts';
import { isList, isObject, type Json, member, textOf } from '../json.ts';
import { type LayerCall, UnknownInput } from '../layer-call.ts';
import { binary, clip, softmax, unary } from './activation.ts';
import { FunctionArguments } from './function-arguments.ts';
import { MATMUL } from './products.ts';
import { resize, resizeTo } from './resampling.ts';
import { flip, slice, TO_THE_END } from './reshaping.ts';
import type { LayerRow } from './row.ts';

/** Functions that Keras 3 (`keras.ops`) and TensorFlow have in common, under the names of their arguments in either. */
type Lower = (given: FunctionArguments, call: LayerCall) => ValueId | readonly ValueId[];

const lower =
  (build: Lower): LayerRow =>
  (call) =>
    build(new FunctionArguments(call), call);

const X = [
  'x',
  'input',
  'inputs',
  'features',
  'tensor',
  'input_tensor',
  'a',
  'images',
  'logits',
  'value',
  'array',
] as const;

const subject = (given: FunctionArguments): ValueId => given.tensor(0, 'x1', ...X);

/** Two operands, either of which may be a number. */
const operands = (given: FunctionArguments): readonly [ValueId, ValueId] => [
  given.tensor(0, 'x1', 'x', 'a'),
  given.tensor(1, 'x2', 'y', 'b'),
];

export const arithmetic = (fn: BinaryFunction): LayerRow =>
  lower((given, call) => {
    const [a, b] = operands(given);
    return binary(call, fn, a, b);
  });

/** Not what the comparison says. */
export const negated = (fn: BinaryFunction): LayerRow =>
  lower((given, call) => {
    const [a, b] = operands(given);
    return unary(call, 'not', binary(call, fn, a, b));
  });

export const extreme = (fn: 'max' | 'min'): LayerRow =>
  lower((given, call) => call.node({ kind: 'variadic', attrs: { fn } }, ...operands(given)));

export const elementwise = (fn: UnaryFunction, alpha: number | null = null, beta: number | null = null): LayerRow =>
  lower((given, call) => unary(call, fn, subject(given), alpha, beta));

/** With a slope, a threshold or the like, under any of its names. */
export const parametric = (fn: UnaryFunction, fallback: number, ...names: readonly string[]): LayerRow =>
  lower((given, call) => unary(call, fn, subject(given), given.number(fallback, 1, ...names)));

/** A function of what an arithmetic step with a number makes. */
export const shifted = (fn: UnaryFunction, step: BinaryFunction, by: number): LayerRow =>
  lower((given, call) => {
    const x = subject(given);
    return unary(call, fn, binary(call, step, x, call.number(by, x)));
  });

/** An arithmetic step with a number, behind a function. */
export const followed = (fn: UnaryFunction, step: BinaryFunction, by: number): LayerRow =>
  lower((given, call) => {
    const y = unary(call, fn, subject(given));
    return binary(call, step, y, call.number(by, y));
  });

export const floorDivide = lower((given, call) => {
  const [a, b] = operands(given);
  return unary(call, 'floor', binary(call, 'div', a, b));
});

export const squaredDifference = lower((given, call) => {
  const [a, b] = operands(given);
  return unary(call, 'square', binary(call, 'sub', a, b));
});

export const softmaxOf = (log: boolean): LayerRow =>
  lower((given, call) => softmax(call, subject(given), given.integer(-1, 1, 'axis'), log));

export const clipped = lower((given, call) => {
  const bound = (position: number, ...names: readonly string[]) => {
    const value = given.value(position, ...names) ?? null;
    return value === null ? null : given.number(0, position, ...names);
  };
  return clip(
    call,
    subject(given),
    bound(1, 'x_min', 'clip_value_min', 'min'),
    bound(2, 'x_max', 'clip_value_max', 'max'),
  );
});

/** The same values, whatever is done with them. */
export const copied = lower((given) => subject(given));

export const castTo = lower((given, call) => {
  const x = subject(given);
  const name = given.value(1, 'dtype');
  const to = dtypeNamed((textOf(name) ?? '').replace(/^<dtype: '(.*)'>$/, '$1'));
  if (to === null) throw new UnknownInput('the type that it casts to is not known');
  return call.node({ kind: 'cast', attrs: { to } }, x);
});

/** Over some axes, or all. */
export const reduced = (fn: ReduceFunction): LayerRow =>
  lower((given, call) => reduceOver(call, given, fn, subject(given)));

function reduceOver(call: LayerCall, given: FunctionArguments, fn: ReduceFunction, x: ValueId): ValueId {
  const axes = given.axes(x, 1, 'axis', 'axes');
  const attrs = { fn, keepDims: given.flag(2, 'keepdims', 'keep_dims'), noopWithoutAxes: false };
  return call.node({ kind: 'reduce', attrs }, x, axes === null || axes.length === 0 ? null : call.integers(axes));
}

/** The mean of squared differences from the mean; its root is the deviation. */
export const spread = (root: boolean): LayerRow =>
  lower((given, call) => {
    const x = subject(given);
    const axes = given.axes(x, 1, 'axis', 'axes');
    const attrs = { fn: 'mean', keepDims: true, noopWithoutAxes: false } as const;
    const mean = call.node({ kind: 'reduce', attrs }, x, axes === null ? null : call.integers(axes));
    const variance = reduceOver(call, given, 'mean', unary(call, 'square', binary(call, 'sub', x, mean)));
    return root ? unary(call, 'sqrt', variance) : variance;
  });

export const argReduced = (fn: 'max' | 'min'): LayerRow =>
  lower((given, call) => {
    const x = subject(given);
    const axis = given.value(1, 'axis', 'dimension') ?? null;
    const flat = axis === null ? call.reshape(x, [-1]) : x;
    const attrs = {
      fn,
      axis: axis === null ? 0 : given.integer(0, 1, 'axis', 'dimension'),
      keepDims: given.flag(2, 'keepdims'),
      selectsLast: false,
    };
    return call.node({ kind: 'argReduce', attrs }, flat);
  });

export const cumulated = (fn: 'prod' | 'sum'): LayerRow =>
  lower((given, call) => {
    const axis = call.integers([given.integer(0, 1, 'axis')], []);
    const attrs = { fn, exclusive: given.flag(-1, 'exclusive'), reverse: given.flag(-1, 'reverse') };
    return call.node({ kind: 'cumulate', attrs }, subject(given), axis);
  });

export const topK = lower((given, call) => {
  const k = call.integers([given.integer(1, 1, 'k')]);
  return call.nodes({ kind: 'topK', attrs: { axis: -1 } }, [subject(given), k], 2);
});

/** Divided by its length along some axes. */
export const normalised = lower((given, call) => {
  const x = subject(given);
  const axes = given.axes(x, 1, 'axis', 'dim') ?? [call.rank(x) - 1];
  const attrs = { fn: 'l2', keepDims: true, noopWithoutAxes: false } as const;
  return binary(call, 'div', x, call.node({ kind: 'reduce', attrs }, x, call.integers(axes)));
});

export const reshaped = lower((given, call) => {
  const shape = given.integers(1, 'newshape', 'shape', 'target_shape');
  if (shape === null) throw call.invalid('has no shape to take');
  return call.node({ kind: 'reshape', attrs: { zeroCopies: false } }, subject(given), call.integers(shape));
});

export const ravelled = lower((given, call) => call.reshape(subject(given), [-1]));

export const transposed = lower((given, call) => {
  const permutation = given.integers(1, 'axes', 'perm');
  return call.node({ kind: 'transpose', attrs: { permutation } }, subject(given));
});

/** Moves axes from places to places; the others keep their order. */
export const axesMoved = lower((given, call) => {
  const x = subject(given);
  const from = given.axes(x, 1, 'source') ?? [];
  const to = given.axes(x, 2, 'destination') ?? [];
  const rest = Array.from({ length: call.rank(x) }, (_, axis) => axis).filter((axis) => !from.includes(axis));
  const order = Array.from({ length: call.rank(x) }, (_, place) => {
    const moved = to.indexOf(place);
    return moved >= 0 ? (from[moved] ?? place) : (rest.shift() ?? place);
  });
  return call.transpose(x, order);
});

export const axesSwapped = lower((given, call) => {
  const x = subject(given);
  const [a = 0] = given.axes(x, 1, 'axis1') ?? [];
  const [b = 0] = given.axes(x, 2, 'axis2') ?? [];
  return call.transpose(
    x,
    Array.from({ length: call.rank(x) }, (_, axis) => (axis === a ? b : axis === b ? a : axis)),
  );
});

export const expanded = lower((given, call) => {
  const axes = given.integers(1, 'axis', 'dim') ?? [0];
  return call.node({ kind: 'unsqueeze', attrs: {} }, subject(given), call.integers(axes));
});

export const squeezed = lower((given, call) => {
  const axes = given.integers(1, 'axis', 'squeeze_dims');
  const isAll = axes === null || axes.length === 0;
  return call.node({ kind: 'squeeze', attrs: {} }, subject(given), isAll ? null : call.integers(axes));
});

export const joined = (fallback: number): LayerRow =>
  lower((given, call) => concat(call, given.tensors(0, 'xs', 'values'), given.integer(fallback, 1, 'axis')));

const concat = (call: LayerCall, inputs: readonly ValueId[], axis: number): ValueId =>
  call.node({ kind: 'concat', attrs: { axis, operands: null } }, ...inputs);

export const stacked = lower((given, call) => {
  const axis = given.integer(0, 1, 'axis');
  const rows = given
    .tensors(0, 'x', 'values', 'arrays')
    .map((id) => call.node({ kind: 'unsqueeze', attrs: {} }, id, call.integers([axis])));
  return concat(call, rows, axis);
});

/** Into so many equal parts, or at given places (`keras.ops`), or into parts of given lengths (TensorFlow). */
export const split = (lists: 'lengths' | 'places'): LayerRow =>
  lower((given, call) => {
    const x = given.tensor(0, 'x', 'value');
    const [axis = 0] = given.axes(x, 2, 'axis') ?? [];
    const parts = given.value(1, 'indices_or_sections', 'num_or_size_splits') ?? null;
    if (typeof parts === 'number') {
      if (!Number.isSafeInteger(parts) || parts < 1 || parts > MAX_PARTS)
        throw call.invalid(`is split into ${parts} parts`);
      return call.nodes({ kind: 'split', attrs: { axis, parts } }, [x], parts);
    }
    const list = given.integers(1, 'indices_or_sections', 'num_or_size_splits') ?? [];
    if (list.length === 0 || list.length > MAX_PARTS) throw call.invalid(`is split into ${list.length} parts`);
    const lengths = lists === 'lengths' ? lengthsOf(call, x, axis, list) : betweenPlaces(call, x, axis, list);
    return call.nodes({ kind: 'split', attrs: { axis, parts: null } }, [x, call.integers(lengths)], lengths.length);
  });

/** Results of one split; a real model has a handful. */
const MAX_PARTS = 4096;

/** One length may be -1: what is left. */
function lengthsOf(call: LayerCall, x: ValueId, axis: number, list: readonly number[]): readonly number[] {
  if (!list.includes(-1)) return list;
  const rest = call.extent(x, axis) - list.reduce((sum, length) => sum + Math.max(0, length), 0);
  return list.map((length) => (length === -1 ? rest : length));
}

function betweenPlaces(call: LayerCall, x: ValueId, axis: number, list: readonly number[]): readonly number[] {
  const bounds = [...list, call.extent(x, axis)];
  return bounds.map((bound, index) => bound - (bounds[index - 1] ?? 0));
}

export const unstacked = lower((given, call) => {
  const x = subject(given);
  const [axis = 0] = given.axes(x, -1, 'axis') ?? [];
  const parts = call.extent(x, axis);
  if (parts < 1 || parts > MAX_PARTS) throw call.invalid(`is taken apart into ${parts}`);
  const rows = call.nodes({ kind: 'split', attrs: { axis, parts } }, [x], parts);
  return rows.map((row) => call.node({ kind: 'squeeze', attrs: {} }, row, call.integers([axis])));
});

/** Fewer repeats than axes are for the last ones. */
export const tiled = lower((given, call) => {
  const x = subject(given);
  const repeats = given.integers(1, 'repeats', 'multiples') ?? [];
  const missing = call.rank(x) - repeats.length;
  const more = Array.from({ length: Math.max(0, -missing) }, (_, axis) => axis);
  const raised = more.length === 0 ? x : call.node({ kind: 'unsqueeze', attrs: {} }, x, call.integers(more));
  const ones = Array.from({ length: Math.max(0, missing) }, () => 1);
  return call.node({ kind: 'tile', attrs: {} }, raised, call.integers([...ones, ...repeats]));
});

/** Each element so often behind itself. */
export const repeated = lower((given, call) => {
  const axis = given.value(2, 'axis') ?? null;
  const x = axis === null ? call.reshape(subject(given), [-1]) : subject(given);
  const [at = 0] = axis === null ? [0] : (given.axes(x, 2, 'axis') ?? []);
  const [times = 1, ...others] = given.integers(1, 'repeats') ?? [];
  if (others.length > 0) throw new UnknownInput('it repeats elements unequally often');
  const attrs = {
    mode: 'nearest',
    axes: [at],
    policy: 'stretch',
    coordinates: 'asymmetric',
    nearest: 'floor',
    cubicCoefficient: -0.5,
    excludesOutside: true,
    antialiases: false,
  } as const;
  return call.node({ kind: 'resize', attrs }, x, call.numbers([times], undefined, 'float32'));
});

export const padded = lower((given, call) => {
  const width = given.value(1, 'pad_width', 'paddings');
  const pairs = pairsOf(width, call.rank(subject(given)));
  if (pairs === null) throw new UnknownInput('what it pads by is not known');
  const pads = [...pairs.map(([begin]) => begin), ...pairs.map(([, end]) => end)];
  const mode = given.text('constant', 2, 'mode').toLowerCase();
  return call.node({ kind: 'pad', attrs: { mode } }, subject(given), call.integers(pads));
});

/** One number for all, a pair for all, or a pair for each axis; null for anything else. */
function pairsOf(value: Json | undefined, rank: number): readonly (readonly [number, number])[] | null {
  const all = (begin: number, end: number) => Array.from({ length: rank }, () => [begin, end] as const);
  if (typeof value === 'number') return all(value, value);
  if (!isList(value)) return null;
  const [first, second] = value;
  if (value.length === 2 && typeof first === 'number' && typeof second === 'number') return all(first, second);
  const pairs = value.flatMap((pair) => {
    const [begin, end = begin] = isList(pair) ? pair : [pair];
    return typeof begin === 'number' && typeof end === 'number' ? [[begin, end] as const] : [];
  });
  if (pairs.length !== value.length) return null;
  const [only] = pairs;
  return pairs.length === 1 && only !== undefined ? all(...only) : pairs;
}

export const flipped = lower((given, call) => {
  const x = subject(given);
  const axes = given.axes(x, 1, 'axis') ?? Array.from({ length: call.rank(x) }, (_, axis) => axis);
  return axes.reduce((turned, axis) => flip(call, turned, axis), x);
});

/** What leaves an axis at one end comes back at the other: two pieces in the other order. */
export const rolled = lower((given, call) => {
  const x = subject(given);
  const shifts = given.integers(1, 'shift') ?? [0];
  const axes = given.axes(x, 2, 'axis');
  if (axes === null) throw new UnknownInput('it rolls over all axes');
  return axes.reduce((moved, axis, index) => {
    const shift = shifts[index] ?? shifts[0] ?? 0;
    if (shift === 0) return moved;
    const tail = slice(call, moved, { axes: [axis], starts: [-shift], ends: [TO_THE_END] });
    const head = slice(call, moved, { axes: [axis], starts: [0], ends: [-shift] });
    return concat(call, [tail, head], axis);
  }, x);
});

export const broadcast = lower((given, call) => {
  const shape = given.integers(1, 'shape');
  if (shape === null) throw call.invalid('has no shape to take');
  return call.node(
    { kind: 'expand', attrs: {} },
    subject(given),
    call.integers(shape.map((extent) => Math.max(1, extent))),
  );
});

/** Elements of one axis by index; of all of them in a row where no axis is told. */
export const gathered = (fallback: number | null): LayerRow =>
  lower((given, call) => {
    const x = given.tensor(0, 'x', 'params');
    const axis = given.value(2, 'axis') ?? fallback;
    const indices = indicesOf(given, call);
    if (axis === null) return call.node({ kind: 'gather', attrs: { axis: 0 } }, call.reshape(x, [-1]), indices);
    return call.node({ kind: 'gather', attrs: { axis: given.integer(0, 2, 'axis') } }, x, indices);
  });

function indicesOf(given: FunctionArguments, call: LayerCall): ValueId {
  const id = given.tensor(1, 'indices');
  return call.isFloat(id) ? call.node({ kind: 'cast', attrs: { to: 'int64' } }, id) : id;
}

export const gatheredAlong = lower((given, call) => {
  const attrs = { axis: given.integer(-1, 2, 'axis') };
  return call.node({ kind: 'gatherElements', attrs }, given.tensor(0, 'x'), given.tensor(1, 'indices'));
});

export const chosen = lower((given, call) =>
  call.node(
    { kind: 'where', attrs: {} },
    given.tensor(0, 'condition'),
    given.tensor(1, 'x1', 'x'),
    given.tensor(2, 'x2', 'y'),
  ),
);

export const oneHot = lower((given, call) => {
  const depth = given.integer(0, 1, 'num_classes', 'depth');
  if (depth < 1) throw call.invalid('has no classes');
  const attrs = { axis: given.integer(-1, -1, 'axis') };
  return call.node(
    { kind: 'oneHot', attrs },
    given.tensor(0, 'x', 'indices'),
    call.integers([depth], []),
    call.numbers([0, 1]),
  );
});

/** As many elements, all alike. */
export const filledLike = (value: number): LayerRow =>
  lower((given, call) => {
    const shape = call.node({ kind: 'shape', attrs: { start: 0, end: null } }, subject(given));
    return call.node({ kind: 'constantOfShape', attrs: { dtype: call.policy.compute, value } }, shape);
  });

export const shapeOf = lower((given, call) =>
  call.node({ kind: 'shape', attrs: { start: 0, end: null } }, subject(given)),
);

export const multiplied = lower((given, call) => {
  const [a, b] = operands(given);
  const attrs = {
    ...MATMUL,
    transposeA: given.flag(-1, 'transpose_a', 'adj_x', 'adjoint_a'),
    transposeB: given.flag(-1, 'transpose_b', 'adj_y', 'adjoint_b'),
  };
  return call.node({ kind: 'matmul', attrs }, a, b);
});

export const einsum = lower((given, call) => {
  const isFirst = given.value(-1, 'subscripts') !== undefined;
  const equation = given.text('', 0, 'subscripts', 'equation');
  if (equation === '') throw call.invalid('has no equation');
  if (isFirst || call.inputs.length > 0) return call.node({ kind: 'einsum', attrs: { equation } }, ...call.inputs);
  throw call.invalid('is called on no tensor');
});

export const resized = lower((given, call) => {
  const images = given.tensor(0, 'images', 'inputs');
  const size = given.integers(1, 'size');
  if (size?.length !== 2) throw new UnknownInput('the size that it resizes to is not known');
  const isFirst = given.value(-1, 'data_format') === 'channels_first';
  const rank = call.rank(images);
  const axes = isFirst ? [rank - 2, rank - 1] : [rank - 3, rank - 2];
  return resize(call, images, given.text('bilinear', 2, 'interpolation', 'method'), axes, resizeTo(size));
});

/** Blocks of channels become blocks of positions, or back; the graph's operator has channels first. */
export const blocks = (kind: 'depthToSpace' | 'spaceToDepth'): LayerRow =>
  lower((given, call) => {
    const x = subject(given);
    const block = given.integer(2, 1, 'block_size');
    const format = given.text('NHWC', -1, 'data_format');
    const isLast = format === 'NHWC' || format === 'channels_last';
    const moved = isLast ? call.transpose(x, [0, 3, 1, 2]) : x;
    const made = call.node(
      kind === 'depthToSpace' ? { kind, attrs: { block, depthFirst: true } } : { kind, attrs: { block } },
      moved,
    );
    return isLast ? call.transpose(made, [0, 2, 3, 1]) : made;
  });

/** One axis of a subscript. */
type Subscript =
  | { readonly type: 'index'; readonly at: number }
  | { readonly type: 'slice'; readonly start: number | null; readonly stop: number | null; readonly step: number }
  | { readonly type: 'new' }
  | { readonly type: 'rest' };

function subscript(value: Json): Subscript {
  if (value === null) return { type: 'new' };
  if (typeof value === 'number') return { type: 'index', at: value };
  const className = textOf(member(value, 'class_name'));
  if (className === '__ellipsis__' || value === '...') return { type: 'rest' };
  const fields = isObject(member(value, 'config')) ? member(value, 'config') : value;
  if (!isObject(fields)) throw new UnknownInput('its subscript is not known');
  const [start, stop, step] = ['start', 'stop', 'step'].map((name) => member(fields, name) ?? null);
  const isBound = (bound: Json | undefined): bound is number | null => bound === null || Number.isSafeInteger(bound);
  if (!isBound(start) || !isBound(stop) || !isBound(step) || step === 0)
    throw new UnknownInput('its subscript is not known');
  return { type: 'slice', start, stop, step: step ?? 1 };
}

/** `x[1:3, ..., None, 0]`: slices, then the axes of single indices are dropped, then the new ones put in. */
export const subscripted = lower((given, call) => {
  const x = given.tensor(0, 'x', 'tensor');
  const key = given.value(1, 'key', 'slice_spec');
  if (key === undefined) throw new UnknownInput('a tensor is its subscript');
  const items = (isList(key) ? key : [key]).map(subscript);
  const named = items.filter(({ type }) => type === 'index' || type === 'slice').length;
  const hidden = call.rank(x) - named;
  if (hidden < 0) throw call.invalid(`has ${named} subscripts for a tensor of ${call.rank(x)} axes`);
  const whole: Subscript = { type: 'slice', start: null, stop: null, step: 1 };
  const filled = items.flatMap((item) => (item.type === 'rest' ? Array.from({ length: hidden }, () => whole) : [item]));
  const ranges = filled.filter((item) => item.type === 'index' || item.type === 'slice');
  const cut = ranges.flatMap((item, axis) => {
    if (item.type === 'index')
      return [{ axis, start: item.at, end: item.at === -1 ? TO_THE_END : item.at + 1, step: 1 }];
    if (item.start === null && item.stop === null && item.step === 1) return [];
    const forwards = item.step > 0;
    return [
      {
        axis,
        start: item.start ?? (forwards ? 0 : -1),
        end: item.stop ?? (forwards ? TO_THE_END : -TO_THE_END),
        step: item.step,
      },
    ];
  });
  const sliced =
    cut.length === 0
      ? x
      : slice(call, x, {
          axes: cut.map(({ axis }) => axis),
          starts: cut.map(({ start }) => start),
          ends: cut.map(({ end }) => end),
          steps: cut.map(({ step }) => step),
        });
  const dropped = ranges.flatMap((item, axis) => (item.type === 'index' ? [axis] : []));
  const left =
    dropped.length === 0 ? sliced : call.node({ kind: 'squeeze', attrs: {} }, sliced, call.integers(dropped));
  const places = filled
    .filter(({ type }) => type !== 'index')
    .flatMap(({ type }, place) => (type === 'new' ? [place] : []));
  return places.length === 0 ? left : call.node({ kind: 'unsqueeze', attrs: {} }, left, call.integers(places));
});
