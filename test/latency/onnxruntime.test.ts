import { describe, expect, it } from 'vitest';
import { LAYER_KINDS } from '../../src/latency/backends/layer-sweep.ts';
import { onnxruntime } from '../../src/latency/backends/onnxruntime.ts';
import { calibrate } from '../../src/latency/calibrate.ts';
import type { Machine, Profile } from '../../src/latency/profile.ts';
import { projectModel } from '../../src/latency/project.ts';
import { SweepNetwork } from '../../src/latency/sweep-network.ts';

const PACKAGES = [
  { name: 'onnxruntime', module: 'onnxruntime-node', provider: 'cpu' },
  { name: 'onnxruntime-web', module: 'onnxruntime-web', provider: 'wasm' },
] as const;

const MACHINE: Machine = { cpu: 'test', cores: 1, arch: 'x', platform: 'x', node: '20.0.0' };

async function isInstalled(module: string): Promise<boolean> {
  try {
    await import(module);
    return true;
  } catch {
    return false;
  }
}

describe('a backend that is not installed', () => {
  it('says which package to install', async () => {
    const missing = onnxruntime({ name: 'missing', module: 'onnxruntime-that-nobody-has', provider: 'cpu' });
    await expect(missing.open(() => 0)).rejects.toMatchObject({
      code: 'backend-missing',
      message: expect.stringContaining('npm install onnxruntime-that-nobody-has'),
    });
  });
});

for (const description of PACKAGES) {
  const installed = await isInstalled(description.module);
  const title = installed ? description.name : `${description.name} (skipped: ${description.module} is not installed)`;
  describe.skipIf(!installed)(title, () => {
    const backend = onnxruntime(description);
    const now = (): number => performance.now();

    it('fits to every kind of layer twice, whatever it takes', () => {
      expect(backend.effort.fewest).toBe(2 * LAYER_KINDS);
    });

    it('times one more of every kind of layer of its sweep', async () => {
      const opened = await backend.open(now);
      for (const model of await backend.sweep(1, LAYER_KINDS)) {
        const network = await opened.load(model, 1);
        expect(network.steps).toHaveLength(1);
        expect((await network.time()).every(Number.isFinite)).toBe(true);
        await network.close();
      }
    }, 120_000);

    it('is calibrated, and then projects for a network', { timeout: 180_000 }, async () => {
      const profile: Profile = await calibrate(
        { backend, threads: [1], quick: true },
        {
          now,
          date: () => new Date(),
          machine: MACHINE,
          progress: () => undefined,
          leftOut: () => undefined,
          signal: new AbortController().signal,
        },
      );
      const network = new SweepNetwork();
      const x = network.conv(network.input(32, 56, 56), { outChannels: 64, kernel: [1, 1], stride: 1 });
      network.output(
        network.unary(network.conv(x, { outChannels: 64, kernel: [3, 3], stride: 1, groups: 64 }), 'relu'),
      );
      const { totalMs, layers } = projectModel(network.analyse(), profile);
      expect(layers.map(({ kernel }) => kernel)).toEqual(['pointwise convolution', 'depthwise convolution']);
      expect(totalMs?.value).toBeGreaterThan(0);
    });
  });
}
