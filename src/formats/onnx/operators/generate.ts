import { readElements } from '../../../ir/elements.ts';
import { always, type Rows } from './row.ts';

export const generateRows: Rows = {
  Shape: (node) => ({ kind: 'shape', attrs: { start: node.int('start', 0), end: node.optionalInt('end') } }),
  Size: always('size', {}),
  ConstantOfShape: (node) => {
    const value = node.tensor('value');
    return {
      kind: 'constantOfShape',
      attrs: value ? { dtype: value.dtype, value: readElements(value)?.[0] ?? null } : { dtype: 'float32', value: 0 },
    };
  },
  Range: always('range', {}),
  EyeLike: (node) => ({ kind: 'eyeLike', attrs: { dtype: node.dtype('dtype') } }),
  RandomNormal: (node) => ({
    kind: 'random',
    attrs: { dtype: node.dtypeOr('dtype', 'float32'), shape: node.extents('shape') },
  }),
  RandomUniform: (node) => ({
    kind: 'random',
    attrs: { dtype: node.dtypeOr('dtype', 'float32'), shape: node.extents('shape') },
  }),
  RandomNormalLike: (node) => ({ kind: 'randomLike', attrs: { dtype: node.dtype('dtype') } }),
  RandomUniformLike: (node) => ({ kind: 'randomLike', attrs: { dtype: node.dtype('dtype') } }),
  Bernoulli: (node) => ({ kind: 'randomLike', attrs: { dtype: node.dtype('dtype') } }),
  Multinomial: (node) => ({
    kind: 'multinomial',
    attrs: { dtype: node.dtypeOr('dtype', 'int32'), samples: node.count('sample_size', 1) },
  }),
  BlackmanWindow: (node) => ({ kind: 'window', attrs: { dtype: node.dtypeOr('output_datatype', 'float32') } }),
  HammingWindow: (node) => ({ kind: 'window', attrs: { dtype: node.dtypeOr('output_datatype', 'float32') } }),
  HannWindow: (node) => ({ kind: 'window', attrs: { dtype: node.dtypeOr('output_datatype', 'float32') } }),
  MelWeightMatrix: (node) => ({ kind: 'melWeights', attrs: { dtype: node.dtypeOr('output_datatype', 'float32') } }),
};
