/** Runs one layer on the kernels: packs the inputs, plans the layer, unpacks the output. */
import { createExecutor } from '../../src/runtime/execute/executor.ts';
import { emitKernelModule } from '../../src/runtime/execute/kernel-module.ts';
import { VARIANTS, type VariantName } from '../../src/runtime/kernels/variants.ts';
import type { PlanOptions } from '../../src/runtime/plan/plan-options.ts';
import { ProgramBuilder } from '../../src/runtime/plan/program.ts';
import { planPack, planUnpack } from '../../src/runtime/plan/repacking.ts';
import { type Blocked, type Extents, type Halo, newBlocked, newPlain } from '../../src/runtime/plan/tensor.ts';
import type { ReferenceTensor } from '../../src/runtime/reference/tensor.ts';

const modules = new Map<VariantName, WebAssembly.Module>();

function kernelModule(name: VariantName): WebAssembly.Module {
  const known = modules.get(name) ?? new WebAssembly.Module(emitKernelModule(VARIANTS[name]));
  modules.set(name, known);
  return known;
}

export interface LayerInput {
  readonly tensor: ReferenceTensor;
  readonly halo: Halo;
}

export interface LayerSetting {
  readonly threads: number;
  readonly exact: boolean;
}

export const ONE_THREAD: LayerSetting = { threads: 1, exact: false };

const shapeOf = ({ items, channels, height, width }: Extents): number[] => [items, channels, height, width];

/** The output of the layer that `plan` appends. */
export async function runLayer(
  inputs: readonly LayerInput[],
  output: Extents,
  outputHalo: Halo,
  plan: (builder: ProgramBuilder, inputs: readonly Blocked[], output: Blocked, options: PlanOptions) => void,
  { threads, exact }: LayerSetting = ONE_THREAD,
): Promise<Float32Array> {
  const builder = new ProgramBuilder();
  const sources = inputs.map(({ tensor }) => newPlain(builder, shapeOf(tensor)));
  const blocked = inputs.map(({ tensor, halo }, index) => {
    const packed = newBlocked(builder, tensor, halo);
    const source = sources[index];
    if (source) planPack(builder, source, packed, 'first');
    return packed;
  });
  const result = newBlocked(builder, output, outputHalo);
  plan(builder, blocked, result, { variant: VARIANTS.simd128, threads, exact });
  const target = newPlain(builder, shapeOf(output));
  planUnpack(builder, result, target, 'first');
  const kept = new Set([...sources, target].map(({ place }) => place.buffer));
  const executor = await createExecutor(kernelModule('simd128'), builder.build(), kept, threads);
  try {
    for (const [index, { tensor }] of inputs.entries()) {
      const source = sources[index];
      if (source) executor.floats(source.place, tensor.data.length).set(tensor.data);
    }
    executor.run();
    return executor.floats(target.place, output.items * output.channels * output.height * output.width).slice();
  } finally {
    await executor.close();
  }
}
