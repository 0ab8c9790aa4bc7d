/** A choice between two tensors, element by element. */
import { MAX_AXES, planBinaryPlain } from '../plan/elementwise.ts';
import { newPlain } from '../plan/tensor.ts';
import { shapeOf } from './analysed-model.ts';
import { inputOf, type NodePlanner } from './planner.ts';

export const planWhere: NodePlanner<'where'> = {
  reject: (layer, { source }) =>
    shapeOf(source, layer.output).length > MAX_AXES ? `it has more than ${MAX_AXES} axes` : null,
  /** Zeroes where the other one is chosen: the sum is the choice. */
  plan: (layer, values) => {
    const { builder } = values;
    const [condition, a, b] = [0, 1, 2].map((index) => values.plain(inputOf(layer, index)));
    const y = values.newPlain(layer.output);
    if (!condition || !a || !b) return 'elementwise';
    const chosen = newPlain(builder, y.shape);
    planBinaryPlain(builder, 'when', condition, a, chosen);
    planBinaryPlain(builder, 'unless', condition, b, y);
    planBinaryPlain(builder, 'add', chosen, y, y);
    return 'elementwise';
  },
};
