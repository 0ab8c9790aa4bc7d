// onnxruntime, native or WebAssembly.
import { readFileSync } from 'node:fs';

async function load(ort, model, options) {
  const session = await ort.InferenceSession.create(model, options);
  const [input] = session.inputMetadata;
  const shape = input.shape.map((extent) => (typeof extent === 'number' && extent > 0 ? extent : 1));
  const data = new Float32Array(shape.reduce((product, extent) => product * extent, 1)).fill(0.3);
  const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', data, shape) };
  return { run: () => session.run(feeds), close: async () => session.release() };
}

export async function prepareNative(path, { threads }) {
  const { default: ort } = await import('onnxruntime-node');
  return load(ort, path, { intraOpNumThreads: threads, interOpNumThreads: 1, executionProviders: ['cpu'] });
}

export async function prepareWeb(path, { threads }) {
  const ort = await import('onnxruntime-web');
  ort.env.wasm.numThreads = threads;
  return load(ort, new Uint8Array(readFileSync(path)), { executionProviders: ['wasm'] });
}
