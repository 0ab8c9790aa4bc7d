import { BLOCKED_DOMAIN } from '../channel-block.ts';
import { attentionRows, microsoftAttentionRows } from './attention.ts';
import { blockedRows } from './blocked.ts';
import { classicalRows } from './classical.ts';
import { controlRows } from './control.ts';
import { convolutionRows, microsoftConvolutionRows } from './convolution.ts';
import { detectionRows } from './detection.ts';
import { elementwiseRows, microsoftElementwiseRows } from './elementwise.ts';
import { generateRows } from './generate.ts';
import { linearRows, microsoftLinearRows } from './linear.ts';
import { microsoftMovementRows, movementRows } from './movement.ts';
import { microsoftNormRows, normRows } from './norm.ts';
import { microsoftPoolRows, poolRows } from './pool.ts';
import { microsoftRecurrentRows, recurrentRows } from './recurrent.ts';
import { microsoftReduceRows, reduceRows } from './reduce.ts';
import { resampleRows } from './resample.ts';
import type { Lowering, Rows } from './row.ts';
import { sequenceRows } from './sequence.ts';
import { signalRows } from './signal.ts';
import { textRows } from './text.ts';
import { trainingRows } from './training.ts';

/** Every operator that is understood, by domain (the empty name is ONNX's own) and name. */
export const OPERATORS: Readonly<Record<string, Rows>> = {
  '': {
    ...attentionRows,
    ...controlRows,
    ...convolutionRows,
    ...detectionRows,
    ...elementwiseRows,
    ...generateRows,
    ...linearRows,
    ...movementRows,
    ...normRows,
    ...poolRows,
    ...recurrentRows,
    ...reduceRows,
    ...resampleRows,
    ...sequenceRows,
    ...signalRows,
    ...textRows,
  },
  'ai.onnx.ml': classicalRows,
  'ai.onnx.preview.training': trainingRows,
  'com.microsoft': {
    ...microsoftAttentionRows,
    ...microsoftConvolutionRows,
    ...microsoftElementwiseRows,
    ...microsoftLinearRows,
    ...microsoftMovementRows,
    ...microsoftNormRows,
    ...microsoftPoolRows,
    ...microsoftRecurrentRows,
    ...microsoftReduceRows,
  },
  [BLOCKED_DOMAIN]: blockedRows,
};

/** How an operator is lowered; undefined where nobody taught us. */
export function loweringOf(domain: string, op: string): Lowering | undefined {
  const rows = Object.hasOwn(OPERATORS, domain) ? OPERATORS[domain] : undefined;
  return rows !== undefined && Object.hasOwn(rows, op) ? rows[op] : undefined;
}
