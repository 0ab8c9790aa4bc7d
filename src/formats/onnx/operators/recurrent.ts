import type { RecurrentCell } from '../../../ir/operators.ts';
import type { Lowering, Rows } from './row.ts';

const recurrent =
  (cell: RecurrentCell): Lowering =>
  (node) => ({
    kind: 'recurrent',
    attrs: {
      cell,
      hidden: node.optionalCount('hidden_size'),
      directions: node.string('direction', 'forward') === 'bidirectional' ? 2 : 1,
      batchFirst: node.flag('layout'),
    },
  });

export const recurrentRows: Rows = { RNN: recurrent('rnn'), GRU: recurrent('gru'), LSTM: recurrent('lstm') };

export const microsoftRecurrentRows: Rows = { DynamicQuantizeLSTM: recurrent('lstm') };
