// Reads and writes ONNX files for the benchmark: fills in weights that a file does not have, and makes chains of layers.
import { readFileSync, writeFileSync } from 'node:fs';
import onnxProto from 'onnx-proto';

const { onnx } = onnxProto;
const FLOAT = 1;

export function readModel(path) {
  return onnx.ModelProto.decode(readFileSync(path));
}

export function writeModel(path, model) {
  writeFileSync(path, onnx.ModelProto.encode(model).finish());
}

/** Seeded numbers between 0 and 1 (mulberry32). */
export function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Weights for every tensor whose bytes are elsewhere, scaled by its inputs so that activations neither grow nor vanish. */
export function fillWeights(model, random) {
  for (const tensor of model.graph.initializer) {
    if (tensor.dataType !== FLOAT || !tensor.externalData?.length) continue;
    const dims = tensor.dims.map(Number);
    const count = dims.reduce((product, extent) => product * extent, 1);
    const fanIn = dims.length > 1 ? count / dims[0] : 1;
    const scale = dims.length > 1 ? Math.sqrt(6 / fanIn) : 0.1;
    tensor.rawData = new Uint8Array(Float32Array.from({ length: count }, () => (random() * 2 - 1) * scale).buffer);
    tensor.externalData = [];
    tensor.dataLocation = 0;
  }
  return model;
}

const tensorType = (dims) => ({
  tensorType: { elemType: FLOAT, shape: { dim: dims.map((extent) => ({ dimValue: extent })) } },
});

const ints = (name, values) => ({ name, type: 7, ints: values });

/** `count` equal convolutions one behind the other. */
export function chainOfLayers({ channels, extent, kernel, groups }, count, random) {
  const shape = [1, channels, extent, extent];
  const pad = (kernel - 1) / 2;
  const each = (channels / groups) * kernel * kernel;
  const initializer = [];
  const node = Array.from({ length: count }, (_, index) => {
    const weights = Float32Array.from(
      { length: channels * each },
      () => ((random() * 2 - 1) * Math.sqrt(3)) / Math.sqrt(each),
    );
    initializer.push(
      {
        name: `w${index}`,
        dataType: FLOAT,
        dims: [channels, channels / groups, kernel, kernel],
        rawData: new Uint8Array(weights.buffer),
      },
      { name: `b${index}`, dataType: FLOAT, dims: [channels], rawData: new Uint8Array(channels * 4) },
    );
    return {
      opType: 'Conv',
      name: `conv${index}`,
      input: [index === 0 ? 'x' : `t${index - 1}`, `w${index}`, `b${index}`],
      output: [index === count - 1 ? 'y' : `t${index}`],
      attribute: [
        ints('kernel_shape', [kernel, kernel]),
        ints('pads', [pad, pad, pad, pad]),
        ints('strides', [1, 1]),
        { name: 'group', type: 2, i: groups },
      ],
    };
  });
  return onnx.ModelProto.fromObject({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'chain',
      node,
      initializer,
      input: [{ name: 'x', type: tensorType(shape) }],
      output: [{ name: 'y', type: tensorType(shape) }],
    },
  });
}
