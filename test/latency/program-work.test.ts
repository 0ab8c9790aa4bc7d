import { describe, expect, it } from 'vitest';
import { builtin } from '../../src/latency/backends/builtin.ts';
import { SweepNetwork } from '../../src/latency/sweep-network.ts';

const plan = (network: SweepNetwork) => builtin.plan(network.analyse(), { variant: 'simd128', threads: 1 });

/** A pointwise layer that is computed by Strassen's product, block by block. */
function pointwise(channels: number, height: number, width = height): SweepNetwork {
  const network = new SweepNetwork();
  const x = network.input(channels, height, width);
  network.output(network.conv(x, { outChannels: channels, kernel: [1, 1], stride: 1 }));
  return network;
}

const STRASSEN = 'strassenInput + gemm + strassenOutput';

describe('work of a program', () => {
  it.each([1, 2])('is a finite amount of everything, on %d threads', async (threads) => {
    for (const model of await builtin.sweep(1, 20)) {
      for (const { terms } of builtin.plan(model, { variant: 'simd128', threads }).steps) {
        expect(
          Object.entries(terms).filter(([, amount]) => !(amount >= 0 && amount < Number.POSITIVE_INFINITY)),
        ).toEqual([]);
      }
    }
  });

  // Blocks that are left at the end may have no lower half: 49 pixels beyond whole blocks, or 2.
  it.each([
    [1, 256, 31, 33],
    [2, 512, 14, 14],
    [2, 512, 2, 513],
    [3, 1024, 29, 29],
  ])(
    'counts the products of a layer taken apart %d times, of %d channels and %d × %d pixels',
    (depth, channels, height, width) => {
      const step = plan(pointwise(channels, height, width)).steps.find(({ group }) => group === STRASSEN);
      const share = (step?.terms['1.multiplyAdds'] ?? 0) / (channels ** 2 * height * width);
      // Seven products instead of eight each time, of whole tiles.
      expect(share).toBeGreaterThanOrEqual((7 / 8) ** depth);
      expect(share).toBeLessThan(1.05 * (7 / 8) ** depth);
    },
  );
});
