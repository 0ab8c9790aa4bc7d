import type { ValueId } from '../../../ir/graph.ts';
import { type Extent, type LayerCall, UnknownInput } from '../layer-call.ts';
import { binary, unary } from './activation.ts';
import { MATMUL } from './products.ts';
import type { LayerRow, LayerRows } from './row.ts';

interface Projection {
  /** Where Keras keeps its weights: `query_dense`. */
  readonly path: string;
  /** Axes of the kernel that meet the input, and those that it makes, with their extents. */
  readonly from: readonly number[];
  readonly to: readonly number[];
}

const product = (extents: readonly number[]): number => extents.reduce((all, extent) => all * extent, 1);

/** A dense layer from the last axis, whose kernel has axes for the heads that the result has in one. */
function project(call: LayerCall, x: ValueId, { path, from, to }: Projection): ValueId {
  const columns = product(to);
  const kernel = call.weight(`${path}/kernel`, [...from, ...to], { shape: [product(from), columns] });
  const bias = call.config.flag('use_bias', true) ? call.weight(`${path}/bias`, to, { shape: [columns] }) : null;
  return call.node({ kind: 'matmul', attrs: MATMUL }, x, kernel, bias);
}

/** Query, value and key, in Keras's order; the key is the value where it is left out. */
function queryValueKey(call: LayerCall): readonly [query: ValueId, value: ValueId, key: ValueId] {
  const query = call.named('query') ?? call.at(0);
  const positional = call.named('query') === null ? call.inputs.slice(1) : call.inputs;
  const value = call.named('value') ?? positional[0] ?? call.at(1);
  const key = call.named('key') ?? positional[call.named('value') === null ? 1 : 0] ?? value;
  return [query, value, key];
}

/** Masks that are handed in are read, so that what computes them is needed. */
const maskOf = (call: LayerCall): ValueId | null => call.named('attention_mask');

/** Axes that are attended over, behind all others, and as one. */
interface Attended {
  readonly axes: readonly number[];
  readonly others: readonly number[];
}

function attendedAxes(call: LayerCall, query: ValueId): Attended {
  const rank = call.rank(query);
  const all = Array.from({ length: rank - 2 }, (_, index) => index + 1);
  const given = call.config.has('attention_axes') ? call.config.integers('attention_axes') : all;
  const axes = given.map((axis) => (axis < 0 ? axis + rank : axis));
  if (axes.some((axis) => !all.includes(axis))) throw call.config.invalid('attention_axes', `axes of its ${rank}`);
  return { axes, others: all.filter((axis) => !axes.includes(axis)) };
}

/** Batch and other axes in one, the attended axes in one, then the channels. */
function asSequence(call: LayerCall, x: ValueId, { axes, others }: Attended): ValueId {
  if (axes.length === 1 && others.length === 0) return x;
  const moved = call.transpose(x, [0, ...others, ...axes, call.rank(x) - 1]);
  const channels = call.extent(x, -1);
  if (others.length === 0) return call.reshape(moved, [0, -1, channels]);
  const [only] = axes;
  if (axes.length === 1 && only !== undefined) return call.reshapeTo(moved, [-1, { of: x, axis: only }, channels]);
  const lengths = axes.map((axis) => call.shape(x)[axis]);
  const known = lengths.filter((length) => typeof length === 'number');
  if (known.length < lengths.length) throw new UnknownInput('an attended axis has an open extent');
  return call.reshape(moved, [-1, product(known), channels]);
}

/** A result of batch, length, … with the axes that the query had. */
function asQuery(
  call: LayerCall,
  x: ValueId,
  query: ValueId,
  { axes, others }: Attended,
  behind: readonly number[],
): ValueId {
  const order = [0, ...others, ...axes];
  const extents: readonly Extent[] = order.map((axis) => ({ of: query, axis }));
  const spread = call.reshapeTo(x, [...extents, ...behind]);
  const back = Array.from({ length: order.length + behind.length }, (_, axis) =>
    axis < order.length ? order.indexOf(axis) : axis,
  );
  return back.every((from, to) => from === to) ? spread : call.transpose(spread, back);
}

/** Projections to heads, both products, and the projection back. (1706.03762) */
const lowerMultiHeadAttention: LayerRow = (call) => {
  const { config } = call;
  const heads = config.count('num_heads');
  const keySize = config.count('key_dim');
  const valueSize = config.optionalCount('value_dim') ?? keySize;
  const [query, value, key] = queryValueKey(call);
  const outputShape = config.has('output_shape') ? config.integers('output_shape') : [call.extent(query, -1)];
  const attended = attendedAxes(call, query);
  const projected = (x: ValueId, path: string, size: number) =>
    project(call, asSequence(call, x, attended), { path, from: [call.extent(x, -1)], to: [heads, size] });
  const q = projected(query, 'query_dense', keySize);
  const k = projected(key, 'key_dense', keySize);
  const usesGate = config.flag('use_gate', false);
  const gate = usesGate ? unary(call, 'sigmoid', projected(query, 'gate_dense', valueSize)) : null;
  const v = projected(value, 'value_dense', valueSize);
  const attrs = { heads, keyValueHeads: heads };
  const results = call.nodes({ kind: 'attention', attrs }, [q, k, v, maskOf(call)], 4);
  const [made = q, , , scores = q] = results;
  const weighed = gate === null ? made : binary(call, 'mul', made, gate);
  const output = project(call, weighed, { path: 'output_dense', from: [heads, valueSize], to: outputShape });
  const isPlain = attended.axes.length === 1 && attended.others.length === 0 && outputShape.length === 1;
  const shaped = isPlain ? output : asQuery(call, output, query, attended, outputShape);
  if (!returnsScores(call)) return shaped;
  const extents = (id: ValueId, axes: readonly number[]) => axes.map((axis) => ({ of: id, axis }));
  const all = [
    ...extents(query, [0, ...attended.others]),
    heads,
    ...extents(query, attended.axes),
    ...extents(key, attended.axes),
  ];
  return [shaped, call.reshapeTo(scores, all)];
};

const returnsScores = (call: LayerCall): boolean => call.isSet('return_attention_scores');

/** Several heads of the query share a head of key and value (2305.13245). Keras keeps its parts under private names. */
const lowerGroupQueryAttention: LayerRow = (call) => {
  const { config } = call;
  const [query, value, key] = queryValueKey(call);
  const heads = config.count('num_query_heads');
  const keyValueHeads = config.count('num_key_value_heads');
  const size = config.count('head_dim');
  if (heads % keyValueHeads !== 0) throw config.invalid('num_key_value_heads', `a divisor of its ${heads} heads`);
  const width = call.extent(query, -1);
  const to = (x: ValueId, path: string, count: number) =>
    project(call, x, { path, from: [call.extent(x, -1)], to: [count, size] });
  const q = to(query, '_query_dense', heads);
  const k = to(key, '_key_dense', keyValueHeads);
  const gate = config.flag('use_gate', false) ? unary(call, 'sigmoid', to(query, '_gate_dense', heads)) : null;
  const v = to(value, '_value_dense', keyValueHeads);
  const results = call.nodes({ kind: 'attention', attrs: { heads, keyValueHeads } }, [q, k, v, maskOf(call)], 4);
  const [made = q, , , scores = q] = results;
  const weighed = gate === null ? made : binary(call, 'mul', made, gate);
  const output = project(call, weighed, { path: '_output_dense', from: [heads, size], to: [width] });
  return returnsScores(call) ? [output, scores] : output;
};

/** Query, value and key as a list, without projections. `concat` scores by a sum, as additive attention does. */
const lowerAttention: LayerRow = (call) => {
  const { config } = call;
  const [query, value, key = value] = [call.at(0), call.at(1), call.inputs[2]];
  const scale = config.flag('use_scale', false) ? call.weight('scale', []) : null;
  if (config.choice('score_mode', ['dot', 'concat'], 'dot') === 'concat') {
    call.weight('concat_score_weight', []);
    return additive(call, [query, key, value, scale]);
  }
  // The scale of the scores, put on the query.
  const scaled = scale === null ? query : binary(call, 'mul', query, scale);
  const results = call.nodes({ kind: 'attention', attrs: { heads: 1, keyValueHeads: 1 } }, [scaled, key, value], 4);
  const [made = query, , , scores = query] = results;
  if (!returnsScores(call)) return made;
  return [made, call.node({ kind: 'squeeze', attrs: {} }, scores, call.integers([1]))];
};

/** Bahdanau's attention (1409.0473). */
const lowerAdditiveAttention: LayerRow = (call) => {
  const [query, value, key = value] = [call.at(0), call.at(1), call.inputs[2]];
  const scale = call.config.flag('use_scale', true) ? call.weight('scale', [call.extent(query, -1)]) : null;
  return additive(call, [query, key, value, scale]);
};

function additive(call: LayerCall, inputs: readonly (ValueId | null)[]): readonly ValueId[] {
  return call.nodes({ kind: 'additiveAttention', attrs: {} }, inputs, returnsScores(call) ? 2 : 1);
}

export const attentionRows: LayerRows = {
  AdditiveAttention: lowerAdditiveAttention,
  Attention: lowerAttention,
  GroupQueryAttention: lowerGroupQueryAttention,
  GroupedQueryAttention: lowerGroupQueryAttention,
  MultiHeadAttention: lowerMultiHeadAttention,
};
