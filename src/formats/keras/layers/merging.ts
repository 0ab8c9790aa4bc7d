import type { BinaryFunction } from '../../../ir/operators.ts';
import type { LayerCall } from '../layer-call.ts';
import { binary } from './activation.ts';
import type { LayerRow, LayerRows } from './row.ts';

/** Elementwise over two tensors or more, one after the other. */
const folded =
  (fn: BinaryFunction): LayerRow =>
  (call) => {
    const [first, ...others] = inputsOf(call);
    return others.reduce((sum, next) => binary(call, fn, sum, next), first);
  };

const variadic =
  (fn: 'max' | 'mean' | 'min'): LayerRow =>
  (call) =>
    call.node({ kind: 'variadic', attrs: { fn } }, ...inputsOf(call));

/** One tensor at least. Those of fewer axes get axes of 1 behind the batch, as Keras broadcasts them. */
function inputsOf(call: LayerCall): readonly [number, ...number[]] {
  const ranks = call.inputs.map((id) => call.rank(id));
  const rank = Math.max(0, ...ranks);
  const level = (id: number, index: number) => {
    const missing = rank - (ranks[index] ?? rank);
    if (missing === 0) return id;
    const axes = Array.from({ length: missing }, (_, axis) => axis + 1);
    return call.node({ kind: 'unsqueeze', attrs: {} }, id, call.integers(axes));
  };
  const [first = level(call.input, 0), ...others] = call.inputs.map(level);
  return [first, ...others];
}

/** Products over `axes`, one of each operand; `normalize` makes them cosines. */
const lowerDot: LayerRow = (call) => {
  const [a, b] = [call.at(0), call.at(1)];
  const given = call.config.integers('axes');
  const [axisA = 1, axisB = axisA] = given;
  const operands = [
    { id: a, axis: axisA < 0 ? axisA + call.rank(a) : axisA },
    { id: b, axis: axisB < 0 ? axisB + call.rank(b) : axisB },
  ];
  const [left, right] = operands.map(({ id, axis }) =>
    call.config.flag('normalize', false) ? unitLength(call, id, axis) : id,
  );
  const letters = operands.map(({ id, axis }, operand) =>
    Array.from({ length: call.rank(id) }, (_, index) => {
      if (index === 0) return 'a';
      return index === axis ? 'z' : String.fromCharCode((operand === 0 ? 98 : 108) + index);
    }),
  );
  const kept = letters.flat().filter((letter) => letter !== 'z' && letter !== 'a');
  const equation = `${letters.map((each) => each.join('')).join(',')}->a${kept.join('')}`;
  const product = call.node({ kind: 'einsum', attrs: { equation } }, left ?? a, right ?? b);
  // Nothing but the batch is left: Keras keeps a column.
  return kept.length > 0 ? product : call.reshape(product, [0, 1]);
};

function unitLength(call: LayerCall, id: number, axis: number): number {
  const attrs = { fn: 'l2', keepDims: true, noopWithoutAxes: false } as const;
  const length = call.node({ kind: 'reduce', attrs }, id, call.integers([axis]));
  return binary(call, 'div', id, length);
}

/** x + scale × residual, of Keras's InceptionResNetV2. */
const lowerCustomScale: LayerRow = (call) => {
  const residual = call.at(1);
  return binary(
    call,
    'add',
    call.at(0),
    binary(call, 'mul', residual, call.number(call.config.number('scale', 1), residual)),
  );
};

export const mergingRows: LayerRows = {
  Add: folded('add'),
  CustomScaleLayer: lowerCustomScale,
  Average: variadic('mean'),
  Concatenate: (call) =>
    call.node({ kind: 'concat', attrs: { axis: call.config.integer('axis', -1), operands: null } }, ...call.inputs),
  Dot: lowerDot,
  Maximum: variadic('max'),
  Minimum: variadic('min'),
  Multiply: folded('mul'),
  Subtract: folded('sub'),
};
