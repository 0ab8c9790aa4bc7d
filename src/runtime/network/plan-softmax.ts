import { stridesOf } from '../../ir/extents.ts';
import { planCopy, planPermuted } from '../plan/strided.ts';
import { elementsOf, newPlain } from '../plan/tensor.ts';
import { normaliseAxis } from './layouts.ts';
import { inputOf, type NodePlanner } from './planner.ts';

export const planSoftmax: NodePlanner<'softmax'> = {
  // A bias, or the scales of quantised tensors.
  reject: ({ node }) => (node.inputs.slice(1).some((id) => id !== null) ? 'it has inputs beyond the first' : null),
  plan: (layer, values) => {
    const { builder } = values;
    const { attrs } = layer.node;
    const x = values.plain(inputOf(layer, 0));
    const rank = x.shape.length;
    const axis = normaliseAxis(attrs.axis, rank);
    const isLast = attrs.coerces || axis === rank - 1;
    const order = [...x.shape.keys()].filter((index) => index !== axis);
    const source = isLast ? x : planPermuted(builder, x, [...order, axis]);
    const count = attrs.coerces ? elementsOf(x.shape.slice(axis)) : (x.shape[axis] ?? 1);
    const rows = elementsOf(x.shape) / count;
    const target = isLast ? values.newPlain(layer.output) : newPlain(builder, source.shape);
    builder.step('softmax', rows, {
      input: source.place,
      output: target.place,
      count,
      scratch: builder.buffer(rows * Math.ceil(count / 4) * 16),
      log: attrs.log ? 1 : 0,
    });
    if (!isLast) {
      const y = values.newPlain(layer.output);
      const strides = stridesOf(y.shape);
      const to = { place: y.place, offset: 0, strides: [...order, axis].map((index) => strides[index] ?? 0) };
      planCopy(builder, source.shape, { place: target.place, offset: 0, strides: stridesOf(source.shape) }, to);
    }
    return 'softmax';
  },
};
