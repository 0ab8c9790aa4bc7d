import type { Target } from '../target.ts';
import { baseline, configuration, npy, npz, profile } from './files.ts';
import { kerasArchive, kerasHdf5, kerasJson, onnx, tensorflowJs } from './models.ts';

/** Every reader, by the name that `--reader` takes. */
export const TARGETS: Readonly<Record<string, Target>> = {
  onnx,
  'keras-json': kerasJson,
  'keras-archive': kerasArchive,
  'keras-h5': kerasHdf5,
  'tensorflow-js': tensorflowJs,
  configuration,
  profile,
  baseline,
  npy,
  npz,
};
