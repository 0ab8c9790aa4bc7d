import { identity } from './core.ts';
import type { LayerRows } from './row.ts';

/** What only training does: at inference each hands on what it is given. */
export const regularizationRows: LayerRows = {
  ActivityRegularization: identity,
  AlphaDropout: identity,
  Dropout: identity,
  GaussianDropout: identity,
  GaussianNoise: identity,
  SpatialDropout1D: identity,
  SpatialDropout2D: identity,
  SpatialDropout3D: identity,
  // Of Keras's own applications, where a residual block is left out at random.
  StochasticDepth: identity,
};
