// The built-in runtime, from the sources.
import { fileSource } from '../../../src/formats/byte-source.ts';
import { readOnnx } from '../../../src/formats/onnx/read.ts';
import { bindInputs } from '../../../src/passes/bind-inputs.ts';
import { inferFacts } from '../../../src/passes/infer-facts.ts';
import { analysedModel, createRuntime } from '../../../src/runtime/index.ts';

export async function prepare(path: string, { threads, wide }: { threads: number; wide: boolean }) {
  const { model } = readOnnx({ path, bytes: fileSource(path), openBeside: () => null });
  const { facts, bindings } = bindInputs(model, { dims: new Map(), shapes: new Map() });
  const runtime = await createRuntime({ threads, experimentalWideVectors: wide });
  const network = await runtime.load(analysedModel(model, inferFacts(model, facts, bindings)));
  const inputs = Object.fromEntries(
    network.inputs.map(({ name, shape }) => {
      const count = shape.reduce((product, extent) => product * extent, 1);
      return [name, { shape, data: new Float32Array(count).fill(0.3) }];
    }),
  );
  return { variant: runtime.variant, run: async () => network.run(inputs), close: () => runtime.close() };
}
