import type { ValueId } from '../../../ir/graph.ts';
import type { RecurrentCell } from '../../../ir/operators.ts';
import { numberedNames } from '../archive-weights.ts';
import { type Json, member, textOf } from '../json.ts';
import { type LayerCall, UnknownInput } from '../layer-call.ts';
import { innerLayerSpec, type LayerSpec } from '../model-config.ts';
import { binary } from './activation.ts';
import { windowOf } from './convolution.ts';
import { channelsLast } from './data-format.ts';
import { flip } from './reshaping.ts';
import type { LayerRow, LayerRows } from './row.ts';

/** A cell as Keras keeps it: kernel in, gates × units; recurrent kernel units, gates × units. */
interface CellType {
  readonly cell: RecurrentCell;
  readonly gates: number;
  /** Tensors of state, the output first. */
  readonly states: number;
  biasShape(call: LayerCall, units: number): readonly number[];
}

const oneBias =
  (gates: number) =>
  (_call: LayerCall, units: number): readonly number[] => [gates * units];

/** `reset_after` applies the reset gate behind the product: input and recurrence have a bias each. */
const gruBias = (call: LayerCall, units: number): readonly number[] =>
  call.config.flag('reset_after', false) ? [2, 3 * units] : [3 * units];

const SIMPLE: CellType = { cell: 'rnn', gates: 1, states: 1, biasShape: oneBias(1) };
const GRU: CellType = { cell: 'gru', gates: 3, states: 1, biasShape: gruBias };
const LSTM: CellType = { cell: 'lstm', gates: 4, states: 2, biasShape: oneBias(4) };
/** As cuDNN has them: always with a bias for the input and one for the recurrence. */
const CUDNN_GRU: CellType = { ...GRU, biasShape: oneBias(6) };
const CUDNN_LSTM: CellType = { ...LSTM, biasShape: oneBias(8) };

const CELLS: Readonly<Record<string, CellType>> = { SimpleRNNCell: SIMPLE, GRUCell: GRU, LSTMCell: LSTM };

/** A cell whose fields are in `call`, and whose weights lie under `path`. */
interface Cell {
  readonly call: LayerCall;
  readonly path: string;
  readonly type: CellType;
}

interface Run {
  readonly sequence: ValueId;
  readonly states: readonly ValueId[];
}

/** Over all steps of a tensor of batch, steps, features. */
function runCell({ call, path, type }: Cell, x: ValueId, initial: readonly ValueId[]): Run {
  if (call.rank(x) !== 3) throw call.invalid(`is called on a tensor of ${call.rank(x)} axes, and takes 3`);
  const units = call.config.count('units');
  const columns = type.gates * units;
  const kernel = call.weight(`${path}kernel`, [call.extent(x, -1), columns]);
  const recurrent = call.weight(`${path}recurrent_kernel`, [units, columns]);
  const bias = call.config.flag('use_bias', true) ? call.weight(`${path}bias`, type.biasShape(call, units)) : null;
  const attrs = { cell: type.cell, hidden: units, directions: 1, batchFirst: true } as const;
  const inputs = [x, kernel, recurrent, bias, null, ...initial.slice(0, type.states)];
  const [y = x, ...states] = call.nodes({ kind: 'recurrent', attrs }, inputs, 1 + type.states);
  const withoutDirection = (id: ValueId, axis: number) =>
    call.node({ kind: 'squeeze', attrs: {} }, id, call.integers([axis]));
  return { sequence: withoutDirection(y, 2), states: states.map((state) => withoutDirection(state, 1)) };
}

/** One behind the other, each over the whole sequence: the same products in another order. */
function runCells(cells: readonly Cell[], x: ValueId, initial: readonly ValueId[]): Run {
  let [sequence, given] = [x, initial];
  const runs = cells.map((cell) => {
    const run = runCell(cell, sequence, given);
    [sequence, given] = [run.sequence, given.slice(cell.type.states)];
    return run;
  });
  return { sequence, states: runs.flatMap(({ states }) => states) };
}

/** What a layer around cells does with its input and its results. */
function runLayer(call: LayerCall, cells: readonly Cell[]): readonly ValueId[] {
  const { config } = call;
  const swap = (id: ValueId) => (config.flag('time_major', false) ? call.transpose(id, [1, 0, 2]) : id);
  const [first = call.input, ...further] = call.inputs;
  const initial = [...further, ...call.allNamed('initial_state')];
  const batchFirst = swap(first);
  const x = config.flag('go_backwards', false) ? flip(call, batchFirst, 1) : batchFirst;
  const { sequence, states } = runCells(cells, x, initial);
  const lastStates = cells.at(-1)?.type.states ?? 1;
  const last = states.at(-lastStates) ?? sequence;
  const output = config.flag('return_sequences', false) ? swap(sequence) : last;
  return config.flag('return_state', false) ? [output, ...states] : [output];
}

const recurrent =
  (type: CellType, path: string): LayerRow =>
  (call) =>
    runLayer(call, [{ call, path, type }]);

/** The cells of `cell`: one, or a stack of them. */
function cellsOf(call: LayerCall, value: Json | undefined, path: string): readonly Cell[] {
  const spec = innerLayerSpec(value, `'${path}'`);
  const inner = call.innerCall(spec, path, []);
  if (spec.className === 'StackedRNNCells') return stackOf(inner);
  const type = Object.hasOwn(CELLS, spec.className) ? CELLS[spec.className] : undefined;
  if (type === undefined || spec.registeredName?.includes('>')) throw new UnknownInput(`${spec.className} is unknown`);
  return [{ call: inner, path: '', type }];
}

function stackOf(call: LayerCall): readonly Cell[] {
  const cells = call.config.list('cells');
  const names = numberedNames(cells.map((cell) => textOf(member(cell, 'class_name')) ?? ''));
  return cells.flatMap((cell, index) => cellsOf(call, cell, `cells/${names[index]}`));
}

const lowerRNN: LayerRow = (call) => runLayer(call, cellsOf(call, call.config.value('cell'), 'cell'));

/** A cell by itself: one step, from a state to the next. */
function runStep(call: LayerCall, cells: readonly Cell[]): readonly ValueId[] {
  const [first = call.input, ...states] = call.inputs;
  const step = call.node({ kind: 'unsqueeze', attrs: {} }, first, call.integers([1]));
  const run = runCells(cells, step, [...states, ...call.allNamed('states')]);
  const output = call.node({ kind: 'squeeze', attrs: {} }, run.sequence, call.integers([1]));
  return [output, ...run.states];
}

const cell =
  (type: CellType): LayerRow =>
  (call) =>
    runStep(call, [{ call, path: '', type }]);

const MERGES = ['concat', 'sum', 'mul', 'ave'] as const;

/** Both directions, each a layer of its own. Without a merge there are two results. */
const lowerBidirectional: LayerRow = (call) => {
  const { config } = call;
  const forward = innerLayerSpec(config.value('layer'), `'layer'`);
  const backward = config.has('backward_layer')
    ? innerLayerSpec(config.value('backward_layer'), `'backward_layer'`)
    : reversed(forward);
  const [first = call.input, ...further] = call.inputs;
  const initial = [...further, ...call.allNamed('initial_state')];
  const half = initial.length / 2;
  const [ahead = first, ...statesAhead] = call.inner(forward, 'forward_layer', [first, ...initial.slice(0, half)]);
  const [behind = first, ...statesBehind] = call.inner(backward, 'backward_layer', [first, ...initial.slice(half)]);
  const returnsSequence = member(forward.config, 'return_sequences') === true;
  const aligned = returnsSequence ? flip(call, behind, 1) : behind;
  return [...merged(call, ahead, aligned), ...statesAhead, ...statesBehind];
};

function merged(call: LayerCall, ahead: ValueId, behind: ValueId): readonly ValueId[] {
  if (call.config.value('merge_mode') === null) return [ahead, behind];
  switch (call.config.choice('merge_mode', MERGES, 'concat')) {
    case 'concat':
      return [call.node({ kind: 'concat', attrs: { axis: -1, operands: null } }, ahead, behind)];
    case 'sum':
      return [binary(call, 'add', ahead, behind)];
    case 'mul':
      return [binary(call, 'mul', ahead, behind)];
    case 'ave':
      return [call.node({ kind: 'variadic', attrs: { fn: 'mean' } }, ahead, behind)];
  }
}

/** Where the file leaves the backward layer out, it is the forward one the other way round. */
function reversed(forward: LayerSpec): LayerSpec {
  const goesBackwards = member(forward.config, 'go_backwards') === true;
  return { ...forward, config: { ...forward.config, go_backwards: !goesBackwards } };
}

/** The steps are one with the batch for the layer within. */
const lowerTimeDistributed: LayerRow = (call) => {
  const rest = (id: ValueId, from: number) =>
    Array.from({ length: call.rank(id) - from }, (_, index) => ({ of: id, axis: from + index }));
  const { input } = call;
  if (call.rank(input) < 3)
    throw call.invalid(`is called on a tensor of ${call.rank(input)} axes, and takes 3 or more`);
  const steps = call.reshapeTo(input, [-1, ...rest(input, 2)]);
  const inner = innerLayerSpec(call.config.value('layer'), `'layer'`);
  const results = call.inner(inner, 'layer', [steps]);
  return results.map((id) => call.reshapeTo(id, [{ of: input, axis: 0 }, { of: input, axis: 1 }, ...rest(id, 1)]));
};

const convLstm =
  (axes: number): LayerRow =>
  (call) => {
    const { config } = call;
    const last = channelsLast(call);
    const window = windowOf(call, axes);
    const filters = config.count('filters');
    const [first = call.input, ...further] = call.inputs;
    const x = config.flag('go_backwards', false) ? flip(call, first, 1) : first;
    const kernel = call.weight('cell/kernel', [...window.kernel, call.extent(x, last ? -1 : 2), 4 * filters]);
    const recurrentKernel = call.weight('cell/recurrent_kernel', [...window.kernel, filters, 4 * filters]);
    const bias = config.flag('use_bias', true) ? call.weight('cell/bias', [4 * filters]) : null;
    const initial = [...further, ...call.allNamed('initial_state')].slice(0, 2);
    const attrs = { ...window, filters, channelsLast: last };
    const inputs = [x, kernel, recurrentKernel, bias, ...initial];
    const [y = x, h = x, c = x] = call.nodes({ kind: 'convLstm', attrs }, inputs, 3);
    const output = config.flag('return_sequences', false) ? y : h;
    return config.flag('return_state', false) ? [output, h, c] : [output];
  };

export const recurrentRows: LayerRows = {
  Bidirectional: lowerBidirectional,
  ConvLSTM1D: convLstm(1),
  ConvLSTM2D: convLstm(2),
  ConvLSTM3D: convLstm(3),
  CuDNNGRU: recurrent(CUDNN_GRU, ''),
  CuDNNLSTM: recurrent(CUDNN_LSTM, ''),
  GRU: recurrent(GRU, 'cell/'),
  GRUCell: cell(GRU),
  LSTM: recurrent(LSTM, 'cell/'),
  LSTMCell: cell(LSTM),
  RNN: lowerRNN,
  SimpleRNN: recurrent(SIMPLE, 'cell/'),
  SimpleRNNCell: cell(SIMPLE),
  StackedRNNCells: (call) => runStep(call, stackOf(call)),
  TimeDistributed: lowerTimeDistributed,
};
