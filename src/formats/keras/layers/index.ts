import type { LayerSpec } from '../model-config.ts';
import { activationRows } from './activation.ts';
import { attentionRows } from './attention.ts';
import { convolutionRows } from './convolution.ts';
import { coreRows } from './core.ts';
import { einsumDenseRows } from './einsum-dense.ts';
import { mergingRows } from './merging.ts';
import { normalizationRows } from './normalization.ts';
import { operationRows } from './operations.ts';
import { poolingRows } from './pooling.ts';
import { preprocessingRows } from './preprocessing.ts';
import { recurrentRows } from './recurrent.ts';
import { regularizationRows } from './regularization.ts';
import { reshapingRows } from './reshaping.ts';
import type { LayerRow, LayerRows } from './row.ts';
import { spectrogramRows } from './spectrogram.ts';
import { tfOperationRows } from './tf-operations.ts';

/** Every layer that is understood, by class name. */
export const LAYERS: LayerRows = {
  ...activationRows,
  ...attentionRows,
  ...convolutionRows,
  ...coreRows,
  ...einsumDenseRows,
  ...mergingRows,
  ...normalizationRows,
  ...poolingRows,
  ...preprocessingRows,
  ...recurrentRows,
  ...regularizationRows,
  ...reshapingRows,
  ...spectrogramRows,
  ...tfOperationRows,
};

/** Every operation of `keras.ops`, by class name: some are called like a layer. */
export const OPERATIONS: LayerRows = operationRows;

/** Packages whose classes are meant by their plain names. */
const KERAS = /^(keras|tf_keras|tensorflow)(\.|$)/;
const OPERATION_MODULES = /^keras\.(src\.)?ops(\.|$)/;

/** How a layer is lowered; undefined for one that is not Keras's own, or that nobody taught us. */
export function rowOf(spec: LayerSpec): LayerRow | undefined {
  const { className, module, registeredName } = spec;
  if (module !== null && !KERAS.test(module)) return undefined;
  if (registeredName?.includes('>')) return undefined;
  const rows = isOperation(spec) ? OPERATIONS : LAYERS;
  return Object.hasOwn(rows, className) ? rows[className] : undefined;
}

/** `.h5` files of Keras 3 leave the module out; every layer, and no operation, says whether it is trainable. */
function isOperation({ className, module, config, isKeras3 }: LayerSpec): boolean {
  if (module !== null) return OPERATION_MODULES.test(module);
  return isKeras3 && Object.hasOwn(OPERATIONS, className) && !Object.hasOwn(config, 'trainable');
}
