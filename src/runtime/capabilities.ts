/** What the engine can do, found out by trying: each variant is compiled, tested against the baseline, and timed where asked. */
import v8 from 'node:v8';
import { emitKernelModule, type Kernels } from './execute/kernel-module.ts';
import { VARIANTS, type VariantName } from './kernels/variants.ts';
import { runsCorrectly } from './self-test.ts';
import { wideningFactor } from './widening.ts';

export interface CapabilityRequest {
  /**
   * Switch V8's experimental wide vectors (and relaxed SIMD, before it was standard) on for the whole process. Used only
   * where it has an effect and the kernels still compute what the baseline does.
   */
  readonly experimentalWideVectors: boolean;
  readonly now: () => number;
}

/** Before V8 12 (Node 20) relaxed SIMD was an experiment; since then the joining of neighbouring vectors is one. */
const isEarly = Number.parseInt(process.versions.v8, 10) < 12;

const EXPERIMENTAL_FLAG = isEarly ? '--experimental-wasm-relaxed-simd' : '--experimental-wasm-revectorize';

/** Below this factor the wide tile is slower than the narrow one. */
const MIN_WIDENING = 1.2;

/** The fastest variant that this process can run correctly. */
export function probeKernels(request: CapabilityRequest): Kernels {
  if (request.experimentalWideVectors) v8.setFlagsFromString(EXPERIMENTAL_FLAG);
  const baseline = compile('simd128');
  if (baseline === null) throw new Error('This engine has no WebAssembly SIMD; Node 20 or later has it.');
  const mayWiden = request.experimentalWideVectors && wideningFactor(request.now) >= MIN_WIDENING;
  const relaxed = isEarly ? 'relaxed-early' : 'relaxed';
  const candidates: readonly VariantName[] = mayWiden ? ['wide', relaxed] : [relaxed];
  for (const name of candidates) {
    const kernels = compile(name);
    if (kernels !== null && runsCorrectly(kernels, baseline)) return kernels;
  }
  return baseline;
}

/** Null where the engine does not know an instruction of the variant. */
function compile(variant: VariantName): Kernels | null {
  const known = compiled.get(variant);
  if (known) return known;
  const bytes = emitKernelModule(VARIANTS[variant]);
  if (!WebAssembly.validate(bytes)) return null;
  const kernels = { variant, module: new WebAssembly.Module(bytes) };
  compiled.set(variant, kernels);
  return kernels;
}

/** Modules hold no state: every runtime of the process shares them. */
const compiled = new Map<VariantName, Kernels>();
