import type { DType } from '../../../ir/dtype.ts';
import type { ClassicalRule } from '../../../ir/operators.ts';
import type { OnnxNode } from '../onnx-node.ts';
import { always, type Lowering, type Rows } from './row.ts';

const same = (dtype: DType | null) => always('classical', { rule: { type: 'same', dtype } });
const unknown = always('classical', { rule: { type: 'unknown' } });

const rows =
  (columns: (node: OnnxNode) => readonly (number | null)[], dtypes: readonly (DType | null)[]): Lowering =>
  (node) => ({ kind: 'classical', attrs: { rule: { type: 'rows', columns: columns(node), dtypes } } });

/** How many classes a classifier tells apart, from its labels. */
function classes(node: OnnxNode): number {
  const integers = ['classlabels_ints', 'classlabels_int64s'].map((name) => node.ints(name).length);
  const strings = ['classlabels_strings', 'classlabels_strings'].map((name) => node.strings(name));
  return Math.max(...integers, ...strings);
}

const classifier: Lowering = rows((node) => [null, classes(node)], [null, 'float32']);

const LABEL_TYPES: readonly (readonly [attribute: string, dtype: DType])[] = [
  ['values_floats', 'float32'],
  ['values_int64s', 'int64'],
  ['values_strings', 'string'],
];

function labelType(node: OnnxNode): DType | null {
  const tensor = node.tensor('values_tensor');
  return tensor?.dtype ?? LABEL_TYPES.find(([attribute]) => node.has(attribute))?.[1] ?? null;
}

const rule =
  (of: (node: OnnxNode) => ClassicalRule): Lowering =>
  (node) => ({
    kind: 'classical',
    attrs: { rule: of(node) },
  });

/** The `ai.onnx.ml` domain. */
export const classicalRows: Rows = {
  ArrayFeatureExtractor: unknown,
  Binarizer: same(null),
  CastMap: unknown,
  CategoryMapper: same(null),
  DictVectorizer: unknown,
  FeatureVectorizer: rows((node) => [node.ints('inputdimensions').reduce((sum, width) => sum + width, 0)], ['float32']),
  Imputer: same(null),
  LabelEncoder: rule((node) => ({ type: 'same', dtype: labelType(node) })),
  LinearClassifier: classifier,
  LinearRegressor: rows((node) => [node.count('targets', 1)], ['float32']),
  Normalizer: same('float32'),
  OneHotEncoder: rule((node) => ({
    type: 'append',
    extent: Math.max(node.ints('cats_int64s').length, node.strings('cats_strings')),
  })),
  SVMClassifier: classifier,
  SVMRegressor: rows(() => [1], ['float32']),
  Scaler: same('float32'),
  TreeEnsemble: rows((node) => [node.count('n_targets', 1)], [null]),
  TreeEnsembleClassifier: classifier,
  TreeEnsembleRegressor: rows((node) => [node.count('n_targets', 1)], ['float32']),
  ZipMap: unknown,
};
