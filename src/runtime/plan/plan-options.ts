import type { KernelVariant } from '../kernels/kernel.ts';

/** What a plan depends on beside the model. */
export interface PlanOptions {
  readonly variant: KernelVariant;
  readonly threads: number;
  /** Only kernels that sum the products themselves: no Winograd, no Strassen. */
  readonly exact: boolean;
}
