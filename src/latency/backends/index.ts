import { DscAuditError } from '../../ir/errors.ts';
import type { Backend } from './backend.ts';
import { builtin } from './builtin.ts';
import { BACKEND_NAMES, type BackendName, isBackendName } from './names.ts';
import { onnxruntime } from './onnxruntime.ts';

/** Every backend: one file each. */
const BACKENDS: { readonly [Name in BackendName]: Backend } = {
  builtin,
  onnxruntime: onnxruntime({ name: 'onnxruntime', module: 'onnxruntime-node', provider: 'cpu' }),
  'onnxruntime-web': onnxruntime({ name: 'onnxruntime-web', module: 'onnxruntime-web', provider: 'wasm' }),
};

/** The backend of that name; throws `invalid-option` where there is none. */
export function backendOf(name: string): Backend {
  if (isBackendName(name)) return BACKENDS[name];
  throw new DscAuditError('invalid-option', `There is no backend '${name}'; there are ${BACKEND_NAMES.join(', ')}.`);
}
