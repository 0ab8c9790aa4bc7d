import { DscAuditError } from '../../ir/errors.ts';
import type { Backend } from './backend.ts';
import { builtin } from './builtin.ts';
import { onnxruntime } from './onnxruntime.ts';

/** Every backend: one file each. The first is what a calibration times if nothing else is asked for. */
const BACKENDS: readonly Backend[] = [
  builtin,
  onnxruntime({ name: 'onnxruntime', module: 'onnxruntime-node', provider: 'cpu' }),
  onnxruntime({ name: 'onnxruntime-web', module: 'onnxruntime-web', provider: 'wasm' }),
];

export const BACKEND_NAMES: readonly string[] = BACKENDS.map(({ name }) => name);

/** The backend of that name; throws `invalid-option` where there is none. */
export function backendOf(name: string): Backend {
  const backend = BACKENDS.find((candidate) => candidate.name === name);
  if (backend) return backend;
  throw new DscAuditError('invalid-option', `There is no backend '${name}'; there are ${BACKEND_NAMES.join(', ')}.`);
}
