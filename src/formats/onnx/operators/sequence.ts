import { always, type Rows } from './row.ts';

export const sequenceRows: Rows = {
  SequenceConstruct: always('sequenceConstruct', {}),
  SequenceEmpty: (node) => ({ kind: 'sequenceEmpty', attrs: { dtype: node.dtypeOr('dtype', 'float32') } }),
  SequenceInsert: always('sequenceInsert', {}),
  SequenceErase: always('sequenceErase', {}),
  SequenceAt: always('sequenceAt', {}),
  SequenceLength: always('sequenceLength', {}),
  SplitToSequence: (node) => ({
    kind: 'splitToSequence',
    attrs: { axis: node.int('axis', 0), keepDims: node.flag('keepdims', true) },
  }),
  ConcatFromSequence: (node) => ({
    kind: 'concatFromSequence',
    attrs: { axis: node.requiredInt('axis'), newAxis: node.flag('new_axis') },
  }),
  Optional: always('optional', {}),
  OptionalGetElement: always('optional', {}),
  OptionalHasElement: always('optionalHasElement', {}),
};
