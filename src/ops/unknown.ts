import { UNKNOWN_TENSOR } from '../ir/fact.ts';
import type { UnknownAttrs } from '../ir/operators.ts';
import type { OpFamily } from './op-def.ts';

export const unknownOps: OpFamily<UnknownAttrs> = {
  unknown: {
    kind: 'other',
    roles: { every: 'operand' },
    infer: (_attrs, context) => Array.from({ length: context.outputCount }, () => UNKNOWN_TENSOR),
    cost: () => null,
  },
};
