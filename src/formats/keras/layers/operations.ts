import type { BinaryFunction } from '../../../ir/operators.ts';
import { binary } from './activation.ts';
import type { LayerRow, LayerRows } from './row.ts';

/** Two operands, one of which may be a number. */
const arithmetic =
  (fn: BinaryFunction): LayerRow =>
  (call) => {
    const [a, b] = [call.operand(0), call.operand(1)];
    return binary(call, fn, a, b);
  };

export const operationRows: LayerRows = {
  Add: arithmetic('add'),
  Divide: arithmetic('div'),
  Multiply: arithmetic('mul'),
  Subtract: arithmetic('sub'),
};
