// TensorFlow.js on its WebAssembly backend (XNNPACK): the model's graph, channels last, with activations fused as its own
// layers would.
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { readModel } from '../onnx-file.js';

const require = createRequire(import.meta.url);
const FLOAT = 1;

export async function prepare(path, { threads }) {
  setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  setThreadsCount(threads);
  await tf.setBackend('wasm');
  await tf.ready();
  const { graph } = readModel(path);
  const constants = new Map(graph.initializer.map((tensor) => [tensor.name, toArray(tensor)]));
  const steps = compile(graph, constants);
  const declared = graph.input.find(({ name }) => !constants.has(name));
  const [, channels, height, width] = declared.type.tensorType.shape.dim.map(({ dimValue }) => Number(dimValue));
  const input = tf.fill([1, height, width, channels], 0.3);
  const run = async () => {
    const output = tf.tidy(() => {
      const values = new Map([[declared.name, input]]);
      for (const step of steps) values.set(step.output, step.compute(values));
      return values.get(graph.output[0].name);
    });
    await output.data();
    output.dispose();
  };
  return { run, close: async () => {} };
}

function toArray({ dims, rawData, dataType }) {
  const { buffer } = new Uint8Array(rawData);
  const data = dataType === FLOAT ? new Float32Array(buffer) : new BigInt64Array(buffer);
  return { dims: dims.map(Number), data };
}

/** One function a node; a clamp behind a convolution or a sum becomes its activation. */
function compile(graph, constants) {
  const steps = [];
  for (const node of graph.node) {
    if (node.opType === 'Constant') {
      constants.set(node.output[0], toArray(node.attribute[0].t));
      continue;
    }
    const attributes = Object.fromEntries(node.attribute.map((attribute) => [attribute.name, attribute]));
    const previous = steps.at(-1);
    const activation = activationOf(node, constants);
    if (activation && previous?.fusible && previous.output === node.input[0]) {
      previous.activation = activation;
      previous.output = node.output[0];
      continue;
    }
    const make = OPERATORS[node.opType];
    if (!make) throw new Error(`tfjs engine: no ${node.opType}`);
    const step = { output: node.output[0], activation: 'linear', fusible: node.opType === 'Conv' };
    step.compute = make(node, attributes, constants, step);
    steps.push(step);
  }
  return steps;
}

function activationOf(node, constants) {
  if (node.opType === 'Relu') return 'relu';
  if (node.opType !== 'Clip') return null;
  const [low, high] = node.input.slice(1).map((name) => constants.get(name)?.data[0]);
  return low === 0 && high === 6 ? 'relu6' : null;
}

const list = (attribute, otherwise) => attribute?.ints?.map(Number) ?? otherwise;

/** ONNX's pads as TensorFlow.js writes them. */
const explicitPads = ([top, left, bottom, right]) =>
  top || left || bottom || right
    ? [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ]
    : 'valid';

const OPERATORS = {
  Conv: (node, attributes, constants, step) => {
    const { dims, data } = constants.get(node.input[1]);
    const groups = Number(attributes.group?.i ?? 1);
    const bias = node.input[2] ? tf.tensor1d(constants.get(node.input[2]).data) : undefined;
    const isDepthwise = groups > 1;
    const filter = tf.tidy(() =>
      tf.keep(tf.transpose(tf.tensor4d(data, dims), isDepthwise ? [2, 3, 0, 1] : [2, 3, 1, 0])),
    );
    const options = {
      filter,
      bias,
      strides: list(attributes.strides, [1, 1]),
      pad: explicitPads(list(attributes.pads, [0, 0, 0, 0])),
    };
    const convolve = isDepthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
    return (values) => convolve({ ...options, x: values.get(node.input[0]), activation: step.activation });
  },
  Add: (node) => (values) => tf.add(values.get(node.input[0]), values.get(node.input[1])),
  Relu: (node) => (values) => tf.relu(values.get(node.input[0])),
  Clip: (node) => (values) => tf.clipByValue(values.get(node.input[0]), 0, 6),
  MaxPool: (node, attributes) => {
    const pad = explicitPads(list(attributes.pads, [0, 0, 0, 0]));
    return (values) => {
      const x = values.get(node.input[0]);
      const padded = pad === 'valid' ? x : tf.pad(x, pad);
      return tf.maxPool(padded, list(attributes.kernel_shape), list(attributes.strides), 'valid');
    };
  },
  AveragePool: (node, attributes) => (values) =>
    tf.avgPool(values.get(node.input[0]), list(attributes.kernel_shape), list(attributes.strides), 'valid'),
  GlobalAveragePool: (node) => (values) => tf.mean(values.get(node.input[0]), [1, 2], true),
  ReduceMean: (node) => (values) => tf.mean(values.get(node.input[0]), [1, 2], true),
  // Only behind global pooling, or before a dense layer whose weights are random anyway.
  Flatten: (node) => (values) => tf.reshape(values.get(node.input[0]), [1, -1]),
  Reshape: (node) => (values) => tf.reshape(values.get(node.input[0]), [1, -1]),
  Gemm: (node, _, constants) => {
    const { dims, data } = constants.get(node.input[1]);
    const b = tf.tidy(() => tf.keep(tf.transpose(tf.tensor2d(data, dims))));
    const bias = tf.tensor1d(constants.get(node.input[2]).data);
    return (values) => tf.fused.matMul({ a: values.get(node.input[0]), b, bias });
  },
  Softmax: (node) => (values) => tf.softmax(values.get(node.input[0])),
  Dropout: (node) => (values) => values.get(node.input[0]),
  Identity: (node) => (values) => values.get(node.input[0]),
};
