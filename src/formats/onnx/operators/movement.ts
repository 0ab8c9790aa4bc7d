import { always, type Lowering, type Rows } from './row.ts';

const scatterElements: Lowering = (node) => ({
  kind: 'scatterElements',
  attrs: { axis: node.int('axis', 0), adds: node.string('reduction', 'none') !== 'none' },
});

const lowerTrilu: Lowering = (node) => ({ kind: 'trilu', attrs: { upper: node.flag('upper', true) } });

const lowerUnique: Lowering = (node) => ({ kind: 'unique', attrs: { axis: node.optionalInt('axis') } });

const lowerGatherND: Lowering = (node) => ({ kind: 'gatherND', attrs: { batchDims: node.int('batch_dims', 0) } });

export const movementRows: Rows = {
  // The shape was an attribute before operator set 5.
  Reshape: (node) => ({
    kind: 'reshape',
    attrs: { zeroCopies: !node.flag('allowzero') },
    inputs: [node.input(0), node.inputOrInts(1, 'shape')],
  }),
  Flatten: (node) => ({ kind: 'flatten', attrs: { axis: node.int('axis', 1) } }),
  Transpose: (node) => ({ kind: 'transpose', attrs: { permutation: node.optionalInts('perm') } }),
  Squeeze: (node) => ({ kind: 'squeeze', attrs: {}, inputs: [node.input(0), node.inputOrInts(1, 'axes')] }),
  Unsqueeze: (node) => ({ kind: 'unsqueeze', attrs: {}, inputs: [node.input(0), node.inputOrInts(1, 'axes')] }),
  Concat: (node) => ({ kind: 'concat', attrs: { axis: node.int('axis', 1), operands: null } }),
  Split: (node) => {
    const lengths = node.inputOrInts(1, 'split');
    return {
      kind: 'split',
      attrs: {
        axis: node.int('axis', 0),
        parts: lengths === null ? (node.optionalCount('num_outputs') ?? node.outputs) : null,
      },
      inputs: [node.input(0), lengths],
    };
  },
  Slice: (node) => ({
    kind: 'slice',
    attrs: {},
    inputs: [
      node.input(0),
      node.inputOrInts(1, 'starts'),
      node.inputOrInts(2, 'ends'),
      node.inputOrInts(3, 'axes'),
      node.input(4),
    ],
  }),
  Pad: (node) => ({
    kind: 'pad',
    attrs: { mode: node.string('mode', 'constant') },
    inputs: [
      node.input(0),
      node.opset < 2 ? node.inputOrInts(1, 'paddings') : node.inputOrInts(1, 'pads'),
      node.input(2),
      node.input(3),
    ],
  }),
  Expand: always('expand', {}),
  // Operator set 1 repeated along one axis, told by two scalars.
  Tile: (node) =>
    node.opset < 6
      ? { kind: 'tileAxis', attrs: {}, inputs: [node.input(0), node.input(1), node.input(2)] }
      : { kind: 'tile', attrs: {} },
  CenterCropPad: (node) => ({ kind: 'centerCropPad', attrs: { axes: node.optionalInts('axes') } }),
  Gather: (node) => ({ kind: 'gather', attrs: { axis: node.int('axis', 0) } }),
  GatherElements: (node) => ({ kind: 'gatherElements', attrs: { axis: node.int('axis', 0) } }),
  GatherND: lowerGatherND,
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: (node) => ({ kind: 'scatterND', attrs: { adds: node.string('reduction', 'none') !== 'none' } }),
  TensorScatter: always('tensorScatter', {}),
  Compress: (node) => ({ kind: 'compress', attrs: { axis: node.optionalInt('axis') } }),
  DepthToSpace: (node) => ({
    kind: 'depthToSpace',
    attrs: { block: node.requiredCount('blocksize'), depthFirst: node.string('mode', 'DCR') !== 'CRD' },
  }),
  SpaceToDepth: (node) => ({ kind: 'spaceToDepth', attrs: { block: node.requiredCount('blocksize') } }),
  ReverseSequence: always('reverseSequence', {}),
  Trilu: lowerTrilu,
  OneHot: (node) => ({ kind: 'oneHot', attrs: { axis: node.int('axis', -1) } }),
  NonZero: always('nonZero', {}),
  Unique: lowerUnique,
};

export const microsoftMovementRows: Rows = {
  ExpandDims: always('unsqueeze', {}),
  Pad: (node) => ({ kind: 'pad', attrs: { mode: node.string('mode', 'constant') } }),
  Trilu: lowerTrilu,
  Unique: lowerUnique,
  GatherND: lowerGatherND,
  // y scale, y zero point, then a tensor, its scale and its zero point each.
  QLinearConcat: (node) => ({
    kind: 'concat',
    attrs: {
      axis: node.requiredInt('axis'),
      operands: node.inputs.map((_, index) => index).filter((index) => index >= 2 && (index - 2) % 3 === 0),
    },
  }),
};
