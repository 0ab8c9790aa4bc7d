import type { Rows } from './row.ts';

export const controlRows: Rows = {
  If: (node) => ({ kind: 'if', attrs: { thenBranch: node.body('then_branch'), elseBranch: node.body('else_branch') } }),
  Loop: (node) => ({ kind: 'loop', attrs: { body: node.body('body') } }),
  Scan: (node) => {
    const batched = node.opset < 9;
    return {
      kind: 'scan',
      attrs: {
        body: node.body('body'),
        scanInputs: node.requiredCount('num_scan_inputs'),
        inputAxes: node.ints('scan_input_axes'),
        outputAxes: node.ints('scan_output_axes'),
        batched,
      },
      // Operator set 8 had the sequence lengths in front.
      inputs: batched ? node.inputs.slice(1) : node.inputs,
    };
  },
  SequenceMap: (node) => ({ kind: 'sequenceMap', attrs: { body: node.body('body') } }),
};
