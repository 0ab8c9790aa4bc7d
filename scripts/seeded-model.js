// Models to compare engines on: seeded weights where the file has none, seeded inputs, and how far outputs lie apart.
import { readFileSync } from 'node:fs';
import onnxProto from 'onnx-proto';

/** The model's bytes; tensors that are elsewhere are filled so that activations neither grow nor vanish. */
export function withWeights(path) {
  const { onnx } = onnxProto;
  const model = onnx.ModelProto.decode(readFileSync(path));
  const variances = new Set(
    model.graph.node.flatMap(({ opType, input }) => (opType === 'BatchNormalization' ? [input[4]] : [])),
  );
  const constants = model.graph.node.flatMap(({ attribute }) => attribute.flatMap(({ t }) => t ?? []));
  for (const [index, tensor] of [...model.graph.initializer, ...constants].entries()) {
    if (tensor.dataType !== 1 || !tensor.externalData?.length) continue;
    const dims = tensor.dims.map(Number);
    const count = dims.reduce((product, extent) => product * extent, 1);
    const scale = dims.length > 1 ? Math.sqrt((3 * dims[0]) / count) : 0.1;
    const shift = variances.has(tensor.name) ? 1 : 0;
    tensor.rawData = new Uint8Array(floats(index, count).map((value) => value * scale + shift).buffer);
    tensor.externalData = [];
    tensor.dataLocation = 0;
  }
  return onnx.ModelProto.encode(model).finish();
}

/** ONNX's number for the type of each input. */
export function inputTypes(bytes) {
  const { input } = onnxProto.onnx.ModelProto.decode(bytes).graph;
  return new Map(input.map(({ name, type }) => [name, type.tensorType.elemType]));
}

/** Relative to the greatest output, however small that is. */
export function difference(actual, expected) {
  let [most, greatestOutput] = [0, 0];
  for (let index = 0; index < expected.length; index++) {
    const apart = Math.abs(actual[index] - Number(expected[index]));
    if (!(apart <= most)) most = apart;
    greatestOutput = Math.max(greatestOutput, Math.abs(Number(expected[index])));
  }
  return greatestOutput === 0 ? most : most / greatestOutput;
}

/** Seeded floats between −1 and 1 (mulberry32). */
export function floats(seed, count) {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  });
}
