import type { LayerRow, LayerRows } from './row.ts';

/** Channels first are moved behind before the elements are put in a row. */
const lowerFlatten: LayerRow = (call) => {
  const rank = call.rank(call.input);
  if (rank === 1) return call.reshape(call.input, [0, 1]);
  const isFirst = call.config.optionalText('data_format') === 'channels_first' && rank > 2;
  const order = [0, ...Array.from({ length: Math.max(0, rank - 2) }, (_, axis) => axis + 2), 1];
  return call.reshape(isFirst ? call.transpose(call.input, order) : call.input, [0, -1]);
};

export const reshapingRows: LayerRows = {
  Flatten: lowerFlatten,
};
