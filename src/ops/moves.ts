import type { OpKind } from '../ir/operators.ts';
import type { OpDef } from './op-def.ts';
import { free } from './shape-rules.ts';

/** Moves elements, and computes nothing. */
export const moves = <K extends OpKind>(
  infer: OpDef<K>['infer'],
  roles: OpDef<K>['roles'] = { 0: 'carried' },
  cost: OpDef<K>['cost'] = free,
): OpDef<K> => ({ kind: 'reshape', roles, infer, cost });
