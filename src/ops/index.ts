import type { OpKind } from '../ir/operators.ts';
import { attentionOps } from './attention.ts';
import { classicalOps } from './classical.ts';
import { controlOps } from './control.ts';
import { convolutionOps } from './convolution.ts';
import { detectionOps } from './detection.ts';
import { elementwiseOps } from './elementwise.ts';
import { generateOps } from './generate.ts';
import { indexingOps } from './indexing.ts';
import { layoutOps } from './layout.ts';
import { linearOps } from './linear.ts';
import { movementOps } from './movement.ts';
import { normOps } from './norm.ts';
import type { OpDef, OpTable } from './op-def.ts';
import { poolOps } from './pool.ts';
import { recurrentOps } from './recurrent.ts';
import { reduceOps } from './reduce.ts';
import { resampleOps } from './resample.ts';
import { sequenceOps } from './sequence.ts';
import { signalOps } from './signal.ts';
import { textOps } from './text.ts';
import { trainingOps } from './training.ts';
import { unknownOps } from './unknown.ts';

/** Every operator of the graph: its shape rule and its cost. */
const OPS: OpTable = {
  ...attentionOps,
  ...classicalOps,
  ...controlOps,
  ...convolutionOps,
  ...detectionOps,
  ...elementwiseOps,
  ...generateOps,
  ...indexingOps,
  ...layoutOps,
  ...linearOps,
  ...movementOps,
  ...normOps,
  ...poolOps,
  ...recurrentOps,
  ...reduceOps,
  ...resampleOps,
  ...sequenceOps,
  ...signalOps,
  ...textOps,
  ...trainingOps,
  ...unknownOps,
};

/** The entry of one kind. */
export function opDef<K extends OpKind>(kind: K): OpDef<K> {
  return OPS[kind];
}
