/** The runtime's public face: `dsc-audit/runtime`. */
export { DscAuditError, type ErrorCode } from '../ir/errors.ts';
export type { InstructionSet } from './kernels/variants.ts';
export { type AnalysedModel, analysedModel } from './network/analysed-model.ts';
export type { FillMissing } from './network/constants.ts';
export type { PlannedLayer } from './network/network.ts';
export {
  createRuntime,
  type LayerTime,
  type LoadOptions,
  type Network,
  type Runtime,
  type RuntimeOptions,
  type RuntimeTensor,
  type TensorDescription,
} from './runtime.ts';
