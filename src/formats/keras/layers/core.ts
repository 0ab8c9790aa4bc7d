import { activate } from './activation.ts';
import type { LayerRow, LayerRows } from './row.ts';

/** A matrix product with the last axis of the input; kernel: in, units. */
const lowerDense: LayerRow = (call) => {
  const { config, input } = call;
  const units = config.count('units');
  const kernel = call.weight('kernel', [call.extent(input, -1), units]);
  const bias = config.flag('use_bias', true) ? call.weight('bias', [units]) : null;
  const attrs = {
    transposeA: false,
    transposeB: false,
    rotateA: false,
    rotateB: false,
    alpha: 1,
    activation: null,
    result: 'same',
  } as const;
  return activate(call, call.node({ kind: 'matmul', attrs }, input, kernel, bias));
};

/** Hands on what it is given, at inference. */
export const identity: LayerRow = (call) => call.inputs;

export const coreRows: LayerRows = {
  Dense: lowerDense,
  Identity: identity,
  InputLayer: identity,
  Masking: identity,
};
