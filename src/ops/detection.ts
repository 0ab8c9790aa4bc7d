import { tensorFact } from '../ir/fact.ts';
import type { DetectionAttrs } from '../ir/operators.ts';
import type { OpFamily } from './op-def.ts';

export const detectionOps: OpFamily<DetectionAttrs> = {
  nonMaxSuppression: {
    kind: 'other',
    roles: {},
    // Each row: batch, class, box.
    infer: (_attrs, context) => [tensorFact('int64', [context.dataDependent('selected'), 3])],
    // How many pairs of boxes are compared depends on the scores.
    cost: () => ({ macs: 0, otherFlops: null }),
  },
};
