/** What the matrix kernel reaches where nothing holds it up. */
import { createExecutor } from './execute/executor.ts';
import type { Kernels } from './execute/kernel-module.ts';
import { VARIANTS } from './kernels/variants.ts';
import { planConvolution } from './plan/convolution.ts';
import { POINTWISE } from './plan/convolution-layer.ts';
import { ProgramBuilder } from './plan/program.ts';
import { NO_HALO, newBlocked } from './plan/tensor.ts';
import { SHORT_MS, shortestRun } from './shortest-run.ts';

/** A pointwise layer whose weights, input and output share the second-level cache: 64 kB and two of 240 kB. */
const CHANNELS = 128;
const HEIGHT = 20;
const WIDTH = 24;

/** Layers of one run: barriers between them weigh little. */
const LAYERS = 8;

/** Floating-point operations a nanosecond of all threads together: the fastest of many short runs. */
export async function measurePeak(
  kernels: Kernels,
  threads: number,
  now: () => number,
  forMs = SHORT_MS,
): Promise<number> {
  const builder = new ProgramBuilder();
  const items = threads;
  const extents = { items, channels: CHANNELS, height: HEIGHT, width: WIDTH };
  const [x, y] = [newBlocked(builder, extents, NO_HALO), newBlocked(builder, extents, NO_HALO)];
  const options = { variant: VARIANTS[kernels.variant], threads, exact: true };
  for (let layer = 0; layer < LAYERS; layer++) planConvolution(builder, LAYER, 'pointwise', x, y, null, options);
  const executor = await createExecutor(kernels.module, builder.build(), new Set([x.place.buffer]), threads);
  try {
    const flops = 2 * LAYERS * items * HEIGHT * WIDTH * CHANNELS * CHANNELS;
    return flops / (shortestRun(() => executor.run(), now, forMs) * 1e6);
  } finally {
    await executor.close();
  }
}

const LAYER = {
  ...POINTWISE,
  inChannels: CHANNELS,
  outChannels: CHANNELS,
  outHeight: HEIGHT,
  outWidth: WIDTH,
  weights: () => new Float32Array(CHANNELS * CHANNELS),
};
