/** The variants of the kernels: what the engine must be able to do for each, and how its code differs. */
import { multiplyAdd, relaxedMultiplyAdd } from '../wasm/values.ts';
import type { KernelVariant } from './kernel.ts';

export type VariantName = 'simd128' | 'relaxed-early' | 'relaxed' | 'wide';

export const VARIANTS: Record<VariantName, KernelVariant> = {
  /** WebAssembly SIMD as every engine has it. 4 × 8 outputs: 8 sums, 2 weights and an input fit 15 registers. */
  simd128: { tile: { pixels: 4, blocks: 1 }, multiplyAdd, joinHalves: false, guardSteps: true, strassenRatio: 40 },
  /** Relaxed SIMD while it was an experiment of V8, before version 12: a product and a sum are one instruction. */
  'relaxed-early': {
    tile: { pixels: 5, blocks: 1 },
    multiplyAdd: relaxedMultiplyAdd,
    joinHalves: false,
    guardSteps: true,
    strassenRatio: null,
  },
  /** Relaxed SIMD: without a register for the product there is room for 12 sums, 2 weights and an input. */
  relaxed: {
    tile: { pixels: 6, blocks: 1 },
    multiplyAdd: relaxedMultiplyAdd,
    joinHalves: false,
    guardSteps: false,
    strassenRatio: null,
  },
  /** Where the engine joins neighbouring vectors into wider ones: 12 sums of 8 floats. */
  wide: {
    tile: { pixels: 6, blocks: 2 },
    multiplyAdd: relaxedMultiplyAdd,
    joinHalves: true,
    guardSteps: false,
    strassenRatio: null,
  },
};

/** Which instructions kernels use, as users are told: the early form of relaxed SIMD only has other tiles. */
export type InstructionSet = Exclude<VariantName, 'relaxed-early'>;

export const instructionsOf = (variant: VariantName): InstructionSet =>
  variant === 'relaxed-early' ? 'relaxed' : variant;
