/** All kernels and the interpreter as one WebAssembly module. */

import { KERNEL_NAMES, KERNELS, type KernelName } from '../kernels/index.ts';
import { KERNEL_SIGNATURE, type KernelVariant } from '../kernels/kernel.ts';
import { writeMapSpan } from '../kernels/unary-functions.ts';
import type { VariantName } from '../kernels/variants.ts';
import { WasmModule } from '../wasm/module.ts';
import { defineRun } from './interpreter.ts';

/** The compiled module of a variant. */
export interface Kernels {
  readonly variant: VariantName;
  readonly module: WebAssembly.Module;
}

/** The bytes of the module for a variant of the kernels. */
export function emitKernelModule(variant: KernelVariant): Uint8Array<ArrayBuffer> {
  const module = new WasmModule();
  const mark = module.importFunction('mark', { parameters: ['i32'], results: [] });
  const waiting = module.importFunction('waiting', { parameters: [], results: [] });
  const scratchGlobal = module.defineGlobal();
  const kernelType = module.typeIndex(KERNEL_SIGNATURE);
  const mapSpan = module.defineFunction(
    { parameters: ['i32', 'i32', 'i32', 'i32', 'v128', 'v128'], results: [] },
    writeMapSpan,
  );
  const host = { variant, shared: { mapSpan, kernelType, scratchGlobal } };
  for (const name of KERNEL_NAMES) {
    module.addToTable(module.defineFunction(KERNEL_SIGNATURE, (body) => KERNELS[name].write(body, host)));
  }
  defineRun(module, kernelType, { mark, waiting });
  module.defineFunction(
    { parameters: ['i32'], results: [] },
    (body) => body.setGlobal(scratchGlobal, body.parameter(0)),
    'setScratch',
  );
  return module.encode();
}

/** Where the kernel stands in the module's table. */
export const kernelSlot = (name: KernelName): number => KERNEL_NAMES.indexOf(name);
