import { always, type Rows } from './row.ts';

/** The `ai.onnx.preview.training` domain. */
export const trainingRows: Rows = {
  // States a tensor beside parameter and gradient; arithmetic of the update rule as its page writes it.
  Adagrad: always('optimizerStep', { statesPerTensor: 1, flopsPerElement: 8 }),
  Adam: always('optimizerStep', { statesPerTensor: 2, flopsPerElement: 14 }),
  Momentum: always('optimizerStep', { statesPerTensor: 1, flopsPerElement: 7 }),
  Gradient: always('gradient', {}),
};
