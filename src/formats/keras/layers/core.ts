import type { ValueId } from '../../../ir/graph.ts';
import type { LayerCall } from '../layer-call.ts';
import { innerLayerSpec } from '../model-config.ts';
import { activate, binary, unary } from './activation.ts';
import { adapted, isAdapted } from './lora.ts';
import { MATMUL } from './products.ts';
import type { LayerRow, LayerRows } from './row.ts';

/** A matrix product with the last axis of the input; kernel: in, units. */
function dense(call: LayerCall): ValueId {
  const { config, input } = call;
  const units = config.count('units');
  const stored = [call.extent(input, -1), units];
  const weight = call.weight('kernel', stored, { frozen: isAdapted(call) });
  const bias = config.flag('use_bias', true) ? call.weight('bias', [units]) : null;
  const kernel = adapted(call, { weight, stored, name: 'lora_kernel' });
  return call.node({ kind: 'matmul', attrs: MATMUL }, input, kernel, bias);
}

const lowerDense: LayerRow = (call) => activate(call, dense(call));

/** A dense layer whose kernel is −1, 0 or 1, times the mean of its absolute values unless a threshold is set. */
const lowerTernaryDense: LayerRow = (call) => {
  const product = dense(call);
  return activate(call, call.config.has('threshold') ? product : binary(call, 'mul', product, call.number(1, product)));
};

function embeddings(call: LayerCall): ValueId {
  const { config } = call;
  const stored = [config.count('input_dim'), config.count('output_dim')];
  const weight = call.weight('embeddings', stored, { frozen: isAdapted(call) });
  return adapted(call, { weight, stored, name: 'lora_embeddings' });
}

/** A row of the table for each index. */
function embed(call: LayerCall, table: ValueId): ValueId {
  const { input } = call;
  const indices = call.isFloat(input) ? call.node({ kind: 'cast', attrs: { to: 'int32' } }, input) : input;
  return call.node({ kind: 'gather', attrs: { axis: 0 } }, table, indices);
}

/** The same table, or another of its size, turns features back into scores of every index. */
const lowerReversibleEmbedding: LayerRow = (call) => {
  const { config } = call;
  const table = embeddings(call);
  const back = config.flag('tie_weights', true)
    ? null
    : call.weight('reverse_embeddings', [config.count('output_dim'), config.count('input_dim')]);
  const flag = call.arguments.positional[1];
  const isReverse = call.isSet('reverse') || (flag?.type === 'value' && flag.value === true);
  if (!isReverse) return embed(call, table);
  const attrs = { ...MATMUL, transposeB: back === null };
  const scores = call.node({ kind: 'matmul', attrs }, call.input, back ?? table);
  const cap = config.optionalNumber('logit_soft_cap');
  if (cap === null) return scores;
  const capped = unary(call, 'tanh', binary(call, 'div', scores, call.number(cap, scores)));
  return binary(call, 'mul', capped, call.number(cap, scores));
};

/** A learned factor for each channel, of Keras's ConvNeXt. */
const lowerLayerScale: LayerRow = (call) =>
  binary(call, 'mul', call.input, call.weight('gamma', [call.config.count('projection_dim')]));

/** Hands on what it is given, at inference. */
export const identity: LayerRow = (call) => call.inputs;

/** What it wraps. */
const lowerWrapper: LayerRow = (call) =>
  call.inner(innerLayerSpec(call.config.value('layer'), `'layer'`), 'layer', call.inputs);

export const coreRows: LayerRows = {
  Dense: lowerDense,
  Embedding: (call) => embed(call, embeddings(call)),
  Identity: identity,
  InputLayer: identity,
  LayerScale: lowerLayerScale,
  Masking: identity,
  ReversibleEmbedding: lowerReversibleEmbedding,
  TernaryDense: lowerTernaryDense,
  Wrapper: lowerWrapper,
};
