// The built-in runtime, from the sources.
import { createRuntime } from '../../../src/runtime/index.ts';

export async function prepare(path: string, { threads, wide }: { threads: number; wide: boolean }) {
  const runtime = await createRuntime({ threads, experimentalWideVectors: wide });
  const network = await runtime.load(path);
  const inputs = Object.fromEntries(
    network.inputs.map(({ name, shape }) => {
      const count = shape.reduce((product, extent) => product * extent, 1);
      return [name, { shape, data: new Float32Array(count).fill(0.3) }];
    }),
  );
  return { variant: runtime.variant, run: async () => network.run(inputs), close: () => runtime.close() };
}
