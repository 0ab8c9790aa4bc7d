/** What memory gives where no cache holds anything. */

import { createExecutor } from './execute/executor.ts';
import type { Kernels } from './execute/kernel-module.ts';
import { binaryCode } from './kernels/binary.ts';
import { PIXEL_BYTES } from './kernels/kernel.ts';
import { ProgramBuilder } from './plan/program.ts';
import { type Blocked, NO_HALO, newBlocked, pixelPlace, planeBytes, rowBytes } from './plan/tensor.ts';
import { SHORT_MS, shortestRun } from './shortest-run.ts';

/** Three tensors of 64 MiB: no last-level cache keeps one of them until the next run. */
const HEIGHT = 4096;
const WIDTH = 512;
const TENSOR_BYTES = HEIGHT * WIDTH * PIXEL_BYTES;

/**
 * Bytes a nanosecond that all threads together read and write, each byte once: the sum of two tensors, the fastest of many
 * runs. As STREAM does (McCalpin, 1995), what the cache reads before it writes is not counted.
 */
export async function measureBandwidth(
  kernels: Kernels,
  threads: number,
  now: () => number,
  forMs = SHORT_MS,
): Promise<number> {
  const builder = new ProgramBuilder();
  const tensor = (): Blocked => newBlocked(builder, { items: 1, channels: 8, height: HEIGHT, width: WIDTH }, NO_HALO);
  const [a, b, sum] = [tensor(), tensor(), tensor()];
  builder.step('binaryBlocked', HEIGHT, {
    a: pixelPlace(a, 0, 0),
    b: pixelPlace(b, 0, 0),
    output: pixelPlace(sum, 0, 0),
    fn: binaryCode('add'),
    height: HEIGHT,
    width: WIDTH,
    aPlane: planeBytes(a),
    aRow: rowBytes(a),
    aPixel: PIXEL_BYTES,
    bPlane: planeBytes(b),
    bRow: rowBytes(b),
    bPixel: PIXEL_BYTES,
    outputPlane: planeBytes(sum),
    outputRow: rowBytes(sum),
    low: Number.NEGATIVE_INFINITY,
    high: Number.POSITIVE_INFINITY,
  });
  const kept = new Set([a, b, sum].map(({ place }) => place.buffer));
  const executor = await createExecutor(kernels.module, builder.build(), kept, threads);
  try {
    // Memory that was never written may be one page of zeroes, which every cache holds.
    for (const { place } of [a, b]) executor.floats(place, TENSOR_BYTES / 4).fill(1);
    return (3 * TENSOR_BYTES) / (shortestRun(() => executor.run(), now, forMs) * 1e6);
  } finally {
    await executor.close();
  }
}
