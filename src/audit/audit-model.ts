import { type Assessment, assess, type CandidateVerdict } from '../dsc/assess.ts';
import { type ConvLayer, convLayer } from '../dsc/conv-layer.ts';
import { type LayerPatterns, layerChoice, matcherOf } from '../dsc/layer-choice.ts';
import { replacementOf } from '../dsc/replacement.ts';
import { depthwiseSeparable } from '../dsc/strategies/depthwise-separable.ts';
import { type Diagnostic, diagnostic } from '../ir/diagnostic.ts';
import { addExact } from '../ir/exact.ts';
import type { Model, ValueId } from '../ir/graph.ts';
import type { OpKind } from '../ir/operators.ts';
import type { BoundInputs } from '../passes/bind-inputs.ts';
import { type CountedLayer, type CountedModel, tensorBytes } from '../passes/count-layers.ts';
import type { Facts } from '../passes/infer-facts.ts';
import { peakActivationBytes } from '../passes/peak-memory.ts';
import type { Analysis } from './analyse.ts';
import { messageOf } from './diagnostic-messages.ts';
import { layerSection, parameterCount, reportedTensor } from './layer-section.ts';
import {
  type Candidate,
  type Coverage,
  type DscSection,
  type Figures,
  type Layer,
  type ModelSection,
  type Report,
  SCHEMA_VERSION,
  type Totals,
} from './report.ts';

/** Everything that follows from the counts: verdicts, totals, report. */
export function auditModel(analysis: Analysis, patterns: LayerPatterns): Report {
  const { path, read, bound, facts, counted } = analysis;
  const { model } = read;
  const convs = convLayers(counted.layers, facts);
  const assessment = assess(convs, depthwiseSeparable, layerChoice(patterns));
  const totals = totalsOf(model, facts, counted.layers);
  const convByIndex = new Map(convs.map((conv) => [conv.index, conv]));
  const layers = counted.layers.map((layer, index) => layerSection(model, facts, layer, index, convByIndex.get(index)));
  const diagnostics = [
    ...read.diagnostics,
    ...bound.diagnostics,
    ...facts.diagnostics,
    ...counted.diagnostics,
    ...leftOut(model, counted),
    ...unmatchedPatterns(patterns, convs),
    ...unusedBindings(analysis),
  ];
  return {
    schemaVersion: SCHEMA_VERSION,
    tool: { name: 'dsc-audit', version: __DSC_AUDIT_VERSION__ },
    model: modelSection(model, facts, bound, path),
    coverage: coverageOf(layers),
    totals,
    layers,
    dsc: dscSection(assessment, totals),
    profile: null,
    gate: { status: 'pass', checks: [] },
    diagnostics: diagnostics.map((told) => ({ ...told, message: messageOf(told) })),
  };
}

/** Every convolution. The first ones on the way from an input are those that nothing learned comes before. */
function convLayers(layers: readonly CountedLayer[], facts: Facts): readonly ConvLayer[] {
  const behindFirst = new Set<ValueId>();
  return layers.flatMap((layer, index) => {
    const isBehind = layer.inputs.some((id) => behindFirst.has(id));
    if (isBehind || LEARNED.has(layer.node.kind)) for (const id of layer.outputs) behindFirst.add(id);
    return convLayer(layer, index, !isBehind, facts) ?? [];
  });
}

/** Operators that turn an image into features. */
const LEARNED: ReadonlySet<OpKind> = new Set([
  'conv',
  'convTranspose',
  'deformConv',
  'causalConv',
  'matmul',
  'gemm',
  'packedMatmul',
  'recurrent',
  'convLstm',
]);

function modelSection(model: Model, facts: Facts, bound: BoundInputs, path: string): ModelSection {
  return {
    name: model.name,
    path,
    format: model.format,
    producer: model.producer,
    opsets: model.opsets,
    fileBytes: model.fileBytes,
    bindings: Object.fromEntries(bound.bindings),
    inputs: model.graph.inputs.map((id) => reportedTensor(model, facts, id)),
    outputs: model.graph.outputs.map((id) => reportedTensor(model, facts, id)),
  };
}

const isCounted = ({ macs, flops }: Pick<Layer, 'macs' | 'flops'>): boolean => macs !== null && flops !== null;

function coverageOf(layers: readonly Layer[]): Coverage {
  const uncounted = new Map<string, string[]>();
  for (const layer of layers) {
    if (isCounted(layer)) continue;
    const names = uncounted.get(layer.op) ?? [];
    names.push(layer.name);
    uncounted.set(layer.op, names);
  }
  return {
    nodes: layers.length,
    counted: layers.filter(isCounted).length,
    shapesKnown: layers.filter(({ outputShapes }) =>
      outputShapes.every((shape) => shape?.every((dim) => typeof dim === 'number')),
    ).length,
    uncounted: Array.from(uncounted, ([op, names]) => ({ op, layers: names })),
  };
}

/** Sums over what is known. */
function totalsOf(model: Model, facts: Facts, layers: readonly CountedLayer[]): Totals {
  const weights = layers.flatMap(({ ownWeights }) => ownWeights);
  const sum = (figures: readonly (number | null)[]) =>
    figures.reduce<number>((total, figure) => addExact(total, figure ?? 0), 0);
  const activations = new Set(layers.flatMap(({ outputs }) => outputs));
  return {
    params: parameterCount(weights),
    macs: sum(layers.map(({ macs }) => macs)),
    flops: sum(layers.map(({ flops }) => flops)),
    weightBytes: sum(weights.map(({ bytes }) => bytes)),
    activationBytes: sum(Array.from(activations, (id) => tensorBytes(facts.of[id]))),
    peakActivationBytes: peakActivationBytes(model, facts),
    latencyMs: null,
    isLowerBound: !layers.every((layer) => isCounted(layer) && layer.outputBytes !== null),
  };
}

function dscSection({ candidates, rejected, saved }: Assessment, totals: Totals): DscSection {
  const before: Figures = {
    params: totals.params.total,
    macs: totals.macs,
    flops: totals.flops,
    weightBytes: totals.weightBytes,
    latencyMs: null,
  };
  return {
    strategy: depthwiseSeparable.name,
    candidates: candidates.map(candidateSection),
    rejected: rejected.map(({ layer, reason }) => ({ layer: layer.name, index: layer.index, reason })),
    projection: {
      before,
      after: {
        params: before.params - saved.params,
        macs: totals.macs - saved.macs,
        flops: totals.flops - saved.flops,
        weightBytes: before.weightBytes - saved.weightBytes,
        latencyMs: null,
      },
      convertibleMacs: candidates.reduce((sum, { before: { macs } }) => addExact(sum, macs ?? 0), 0),
    },
  };
}

function candidateSection({ layer, before, after }: CandidateVerdict): Candidate {
  return {
    layer: layer.name,
    index: layer.index,
    replacement: replacementOf(layer),
    before: { ...before, latencyMs: null },
    after: { ...after, latencyMs: null },
    approximation: null,
  };
}

/** What the file holds and no output needs. */
function leftOut(model: Model, { dead, unusedConstants }: CountedModel): readonly Diagnostic[] {
  const told: Diagnostic[] = [];
  if (dead.length > 0) {
    const names = dead.map(({ name }) => name);
    told.push(diagnostic('dead-nodes', 'warning', null, { nodes: names.length, names }));
  }
  if (unusedConstants.length > 0) {
    const names = unusedConstants.map((id) => model.values[id]?.name ?? '');
    told.push(diagnostic('unused-initializers', 'warning', null, { tensors: names.length, names }));
  }
  return told;
}

/** Patterns that name no convolution: a typo, most likely. */
function unmatchedPatterns(patterns: LayerPatterns, convs: readonly ConvLayer[]): readonly Diagnostic[] {
  const options = ['include', 'exclude'] as const;
  return options.flatMap((option) =>
    patterns[option]
      .filter((pattern) => !convs.some(matcherOf([pattern])))
      .map((pattern) => diagnostic('unmatched-pattern', 'warning', null, { option: `--${option}`, pattern })),
  );
}

/** Dimensions that were bound and that the model does not have. */
function unusedBindings({ read: { model }, facts, requestedDims }: Analysis): readonly Diagnostic[] {
  const known = new Set(facts.dataDependentNames);
  for (const { declared } of model.values) {
    for (const dim of declared?.shape ?? []) if (typeof dim !== 'number') known.add(dim.key);
  }
  return Array.from(requestedDims.keys())
    .filter((name) => !known.has(name))
    .map((name) => diagnostic('unused-binding', 'warning', null, { name }));
}
