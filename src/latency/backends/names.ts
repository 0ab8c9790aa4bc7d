/** Every backend's name. The first is what a calibration times if nothing else is asked for. */
export const BACKEND_NAMES = ['builtin', 'onnxruntime', 'onnxruntime-web'] as const;

export type BackendName = (typeof BACKEND_NAMES)[number];

export const isBackendName = (name: string): name is BackendName => BACKEND_NAMES.some((known) => known === name);
