import type { ConvLayer } from '../dsc/conv-layer.ts';
import { pathOf } from '../dsc/layer-path.ts';
import { isStatic } from '../ir/dim.ts';
import { multiplyExact } from '../ir/exact.ts';
import type { Fact, Shape } from '../ir/fact.ts';
import type { Model, ValueId } from '../ir/graph.ts';
import type { CountedLayer } from '../passes/count-layers.ts';
import type { Facts } from '../passes/infer-facts.ts';
import type { Weight } from '../passes/trace-weights.ts';
import type { ConvSection, Layer, ParameterCount, ReportedShape, ReportedTensor } from './report.ts';

function reportedShape(shape: Shape | null): ReportedShape {
  return shape === null ? null : shape.map((dim) => (isStatic(dim) ? dim : dim.key));
}

function shapeOf(fact: Fact | undefined): ReportedShape {
  return fact?.type === 'tensor' ? reportedShape(fact.shape) : null;
}

export function reportedTensor(model: Model, facts: Facts, id: ValueId): ReportedTensor {
  const fact = facts.of[id];
  return {
    name: model.values[id]?.name ?? '',
    dtype: fact?.type === 'tensor' ? fact.dtype : null,
    shape: shapeOf(fact),
  };
}

export function parameterCount(weights: readonly Weight[]): ParameterCount {
  const sum = (counted: readonly Weight[]) => counted.reduce((total, { elements }) => total + elements, 0);
  return { total: sum(weights), trainable: sum(weights.filter(({ trainable }) => trainable)) };
}

/** One layer of the report. */
export function layerSection(
  model: Model,
  facts: Facts,
  layer: CountedLayer,
  index: number,
  conv: ConvLayer | undefined,
): Layer {
  const { node, inputs, outputs, inputBytes, outputBytes, flops } = layer;
  const nameOf = (id: ValueId) => model.values[id]?.name ?? '';
  return {
    index,
    name: node.name,
    op: node.op,
    kind: layer.kind,
    scope: pathOf(node).slice(0, -1),
    inputNames: inputs.map(nameOf),
    inputShapes: inputs.map((id) => shapeOf(facts.of[id])),
    outputNames: outputs.map(nameOf),
    outputShapes: outputs.map((id) => shapeOf(facts.of[id])),
    conv: conv ? convSection(conv) : null,
    params: parameterCount(layer.ownWeights),
    macs: layer.macs,
    flops,
    weightBytes: bytesOf(layer.ownWeights),
    inputBytes,
    outputBytes,
    intensity: intensityOf(flops, inputBytes, outputBytes, multiplyExact(bytesOf(layer.weights), layer.repeats)),
    bound: null,
    kernel: null,
    latencyMs: null,
    repeats: layer.repeats,
  };
}

function bytesOf(weights: readonly Weight[]): number {
  return weights.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** FLOPs per byte: inputs and weights read, outputs written, once each. */
export function intensityOf(
  flops: number | null,
  read: number | null,
  written: number | null,
  weights: number,
): number | null {
  if (flops === null || read === null || written === null) return null;
  const bytes = read + written + weights;
  return bytes === 0 ? null : flops / bytes;
}

function convSection(conv: ConvSection): ConvSection {
  const { inChannels, outChannels, kernel, strides, dilations, pads, groups, bias } = conv;
  return { inChannels, outChannels, kernel, strides, dilations, pads, groups, bias };
}
