import type { Report } from '../audit/report.ts';

/** File formats as their makers spell them. */
export const FORMAT_NAMES: Readonly<Record<Report['model']['format'], string>> = { onnx: 'ONNX', keras: 'Keras' };
