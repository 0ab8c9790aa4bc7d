// Models of a size that is not kept in the repository.
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import onnxProto from 'onnx-proto';

const { onnx } = onnxProto;
const FLOAT = 1;

const shape = (dims) => ({ dim: dims.map((dimValue) => ({ dimValue })) });
const tensorInfo = (name, dims) => ({ name, type: { tensorType: { elemType: FLOAT, shape: shape(dims) } } });

const model = (graph) =>
  onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ domain: '', version: 17 }], graph }).finish();

/** A model whose weights were stripped, with zeros for them in the file. */
export function filledModel(from, to) {
  const proto = onnx.ModelProto.decode(readFileSync(from));
  for (const tensor of proto.graph?.initializer ?? []) {
    if (tensor.dataLocation !== 1) continue;
    const elements = tensor.dims.reduce((product, extent) => product * Number(extent), 1);
    tensor.dataLocation = 0;
    tensor.externalData = [];
    tensor.rawData = new Uint8Array(4 * elements);
  }
  writeFileSync(to, onnx.ModelProto.encode(proto).finish());
  return to;
}

/** A short chain of matrix products whose weights take `bytes`, in a sparse file beside the model. */
export function sparseModel(to, bytes) {
  const layers = 24;
  const width = Math.max(1, Math.round(Math.sqrt(bytes / 4 / layers)));
  const weights = Array.from({ length: layers }, (_, index) => ({
    name: `w${index}`,
    dims: [width, width],
    dataType: FLOAT,
    dataLocation: 1,
    externalData: [
      { key: 'location', value: `${to.split('/').at(-1)}.data` },
      { key: 'offset', value: String(index * 4 * width * width) },
      { key: 'length', value: String(4 * width * width) },
    ],
  }));
  const node = weights.map(({ name }, index) => ({
    opType: 'MatMul',
    name: `matmul${index}`,
    input: [index === 0 ? 'x' : `h${index - 1}`, name],
    output: [`h${index}`],
  }));
  const graph = {
    name: 'sparse',
    input: [tensorInfo('x', [1, width])],
    output: [{ name: `h${layers - 1}` }],
    initializer: weights,
    node,
  };
  writeFileSync(to, model(graph));
  const data = openSync(`${to}.data`, 'w');
  ftruncateSync(data, layers * 4 * width * width);
  writeSync(data, new Uint8Array(1), 0, 1, 0);
  closeSync(data);
  return to;
}

/** A chain of convolutions and activations of so many nodes. */
export function chainModel(to, nodes) {
  const pairs = nodes / 2;
  const graph = {
    name: 'chain',
    input: [tensorInfo('x', [1, 8, 16, 16])],
    output: [{ name: `r${pairs - 1}` }],
    initializer: [],
    node: [],
  };
  for (let index = 0; index < pairs; index++) {
    const input = index === 0 ? 'x' : `r${index - 1}`;
    const scope = `/block${Math.floor(index / 10)}/unit${index}`;
    graph.initializer.push({
      name: `w${index}`,
      dims: [8, 8, 3, 3],
      dataType: FLOAT,
      rawData: new Uint8Array(4 * 576),
    });
    graph.node.push(
      {
        opType: 'Conv',
        name: `${scope}/Conv`,
        input: [input, `w${index}`],
        output: [`c${index}`],
        attribute: [{ name: 'pads', type: 7, ints: [1, 1, 1, 1] }],
      },
      { opType: 'Relu', name: `${scope}/Relu`, input: [`c${index}`], output: [`r${index}`] },
    );
  }
  writeFileSync(to, model(graph));
  return to;
}
