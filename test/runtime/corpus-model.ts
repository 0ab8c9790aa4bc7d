/** Models of the corpus, with seeded weights where the file has none. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import { bytesSource } from '../../src/formats/byte-source.ts';
import { readOnnx } from '../../src/formats/onnx/read.ts';
import { bindInputs } from '../../src/passes/bind-inputs.ts';
import { inferFacts } from '../../src/passes/infer-facts.ts';
import { type AnalysedModel, analysedModel } from '../../src/runtime/network/analysed-model.ts';
import { CORPUS } from '../support/models.ts';
import { randomFloats } from './random.ts';

const { onnx } = onnxProto;
const FLOAT = 1;

/** The model's bytes; every tensor that is elsewhere is filled, so that activations neither grow nor vanish. */
export function filledModel(name: string): Uint8Array {
  const model = onnx.ModelProto.decode(readFileSync(join(CORPUS, 'onnx', `${name}.onnx`)));
  const variances = new Set(
    model.graph?.node?.flatMap((node) => (node.opType === 'BatchNormalization' ? [node.input?.[4]] : [])),
  );
  for (const [index, tensor] of (model.graph?.initializer ?? []).entries()) {
    if (tensor.dataType !== FLOAT || !tensor.externalData?.length) continue;
    const dims = (tensor.dims ?? []).map(Number);
    const count = dims.reduce((product, extent) => product * extent, 1);
    const scale = dims.length > 1 ? Math.sqrt((3 * (dims[0] ?? 1)) / count) : 0.1;
    const shift = variances.has(tensor.name ?? undefined) ? 1 : 0;
    tensor.rawData = new Uint8Array(randomFloats(index, count).map((value) => value * scale + shift).buffer);
    tensor.externalData = [];
    tensor.dataLocation = 0;
  }
  return onnx.ModelProto.encode(model).finish();
}

/** The model as the runtime takes it, the batch 1. */
export function analyseBytes(bytes: Uint8Array): AnalysedModel {
  const source = { path: 'model.onnx', bytes: bytesSource([bytes]), openBeside: () => null };
  const { model } = readOnnx(source);
  const { facts, bindings } = bindInputs(model, { dims: new Map(), shapes: new Map() });
  return analysedModel(model, inferFacts(model, facts, bindings));
}
