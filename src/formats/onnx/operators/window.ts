import { DscAuditError } from '../../../ir/errors.ts';
import type { Padding, WindowAttrs } from '../../../ir/operators.ts';
import type { OnnxNode } from '../onnx-node.ts';

const AUTO_PAD: Readonly<Record<string, Padding>> = {
  SAME_UPPER: { mode: 'same-upper' },
  SAME_LOWER: { mode: 'same-lower' },
  VALID: { mode: 'valid' },
};

/** `auto_pad` where it is set, else `pads`, which may be negative: that crops. */
function paddingOf(node: OnnxNode): Padding {
  const rule = node.string('auto_pad', 'NOTSET');
  const padding = AUTO_PAD[rule];
  if (padding) return padding;
  if (rule !== 'NOTSET') {
    throw new DscAuditError('malformed-model', `${node.op} has the auto_pad '${rule}', which is none of ONNX's.`);
  }
  return { mode: 'explicit', pads: node.ints('pads') };
}

export function windowOf(node: OnnxNode): WindowAttrs {
  return {
    kernel: node.optionalExtents('kernel_shape'),
    strides: node.positives('strides'),
    dilations: node.positives('dilations'),
    padding: paddingOf(node),
  };
}
