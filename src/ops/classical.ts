import { type Fact, tensorFact } from '../ir/fact.ts';
import type { ClassicalAttrs } from '../ir/operators.ts';
import type { InferContext, OpFamily } from './op-def.ts';
import { extentAt } from './shape-rules.ts';

function infer({ rule }: ClassicalAttrs['classical'], context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  switch (rule.type) {
    case 'same':
      return [tensorFact(rule.dtype ?? dtype, shape)];
    case 'append':
      return [tensorFact('float32', shape && [...shape, rule.extent])];
    case 'rows': {
      const rows = shape && shape.length > 1 ? extentAt(shape, 0) : 1;
      return rule.columns.map((columns, index) =>
        tensorFact(rule.dtypes[index] ?? dtype, shape && (columns === null ? [rows] : [rows, columns])),
      );
    }
    case 'unknown':
      return Array.from({ length: context.outputCount }, () => tensorFact(null, null));
  }
}

/** Trees, scalers and encoders beside a network: no MACs, and FLOPs that depend on what they hold. */
export const classicalOps: OpFamily<ClassicalAttrs> = {
  classical: { kind: 'other', roles: {}, infer, cost: () => ({ macs: 0, otherFlops: null }) },
};
