/** A small network of every kind of kernel, to compare one variant with another before it is trusted. */
import { encodeProgram } from './execute/encode.ts';
import { writeConstants } from './execute/executor.ts';
import { instantiateKernels, SILENT } from './execute/instance.ts';
import type { Kernels } from './execute/kernel-module.ts';
import { VARIANTS } from './kernels/variants.ts';
import { haloOf, planConvolution } from './plan/convolution.ts';
import { type ConvolutionLayer, POINTWISE } from './plan/convolution-layer.ts';
import { chooseMethod } from './plan/convolution-method.ts';
import { ProgramBuilder } from './plan/program.ts';
import { planPack, planUnpack } from './plan/repacking.ts';
import { type Blocked, newBlocked, newPlain } from './plan/tensor.ts';

const EXTENT = 13;
const TOLERANCE = 1e-4;

/** Odd channel counts, all convolution methods, and a function after the sum. */
const SHAPES = [
  { inChannels: 3, outChannels: 20, groups: 1, kernel: 3 },
  { inChannels: 20, outChannels: 20, groups: 20, kernel: 3 },
  { inChannels: 20, outChannels: 40, groups: 1, kernel: 1 },
  { inChannels: 40, outChannels: 24, groups: 1, kernel: 3 },
  { inChannels: 24, outChannels: 24, groups: 24, kernel: 5 },
  { inChannels: 24, outChannels: 24, groups: 6, kernel: 3 },
] as const;

/** Whether the kernels give what the trusted ones give. */
export function runsCorrectly(kernels: Kernels, trusted: Kernels): boolean {
  const actual = outputOf(kernels);
  const expected = outputOf(trusted);
  return expected.every((value, index) => Math.abs((actual[index] ?? Number.NaN) - value) <= TOLERANCE);
}

function layerOf({ inChannels, outChannels, groups, kernel }: (typeof SHAPES)[number]): ConvolutionLayer {
  const count = (outChannels * inChannels * kernel * kernel) / groups;
  const scale = 1 / Math.sqrt(count / outChannels);
  return {
    ...POINTWISE,
    inChannels,
    outChannels,
    groups,
    kernelHeight: kernel,
    kernelWidth: kernel,
    padTop: (kernel - 1) / 2,
    padLeft: (kernel - 1) / 2,
    outHeight: EXTENT,
    outWidth: EXTENT,
    weights: () => wave(count, scale),
    bias: () => wave(outChannels, 0.5),
    epilogue: { ...POINTWISE.epilogue, activation: 'hardSwish' },
  };
}

const wave = (count: number, amplitude: number): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => Math.sin(index * 1.7) * amplitude);

function outputOf({ variant, module }: Kernels): Float32Array {
  const options = { variant: VARIANTS[variant], threads: 1, exact: false };
  const builder = new ProgramBuilder();
  const layers = SHAPES.map(layerOf);
  const input = newPlain(builder, [1, SHAPES[0].inChannels, EXTENT, EXTENT]);
  let x: Blocked | null = null;
  for (const [index, layer] of layers.entries()) {
    const extents = { items: 1, channels: layer.inChannels, height: EXTENT, width: EXTENT };
    const halo = haloOf(layer, chooseMethod(layer, options), extents);
    if (x === null) {
      x = newBlocked(builder, extents, halo);
      planPack(builder, input, x, 'first');
    }
    const next = layers[index + 1];
    const outputs = { ...extents, channels: layer.outChannels };
    const wanted = next ? haloOf(next, chooseMethod(next, options), outputs) : { top: 0, left: 0, bottom: 0, right: 0 };
    const y: Blocked = newBlocked(builder, outputs, wanted);
    planConvolution(builder, layer, chooseMethod(layer, options), x, y, null, options);
    x = y;
  }
  const output = newPlain(builder, [1, x?.channels ?? 0, EXTENT, EXTENT]);
  if (x) planUnpack(builder, x, output, 'first');
  return runOnce(module, builder, [input.place.buffer, output.place.buffer], output.shape);
}

function runOnce(
  module: WebAssembly.Module,
  builder: ProgramBuilder,
  [input = 0, output = 0]: readonly number[],
  shape: readonly number[],
): Float32Array {
  const program = builder.build();
  const encoded = encodeProgram(program, new Set([input, output]), 1);
  const pages = Math.ceil(encoded.totalBytes / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  writeConstants(memory, program, encoded);
  const floats = (buffer: number, count: number): Float32Array =>
    new Float32Array(memory.buffer, encoded.base + (encoded.memory.offsets[buffer] ?? 0), count);
  const inputCount = SHAPES[0].inChannels * EXTENT * EXTENT;
  floats(input, inputCount).set(wave(inputCount, 1));
  const kernels = instantiateKernels(module, memory, SILENT);
  kernels.setScratch(encoded.scratch);
  kernels.run(encoded.firstStep, encoded.endStep, 0, 1, 0);
  return floats(
    output,
    shape.reduce((product, extent) => product * extent, 1),
  ).slice();
}
