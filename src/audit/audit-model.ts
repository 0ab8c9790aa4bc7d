import { recogniseStructures } from '../dsc/blocks/index.ts';
import type { ConvLayer } from '../dsc/conv-layer.ts';
import { convLayers } from '../dsc/conv-layers.ts';
import { type LayerPatterns, layerChoice, matcherOf } from '../dsc/layer-choice.ts';
import type { LinearAlgebra } from '../dsc/linear-algebra.ts';
import type { Between } from '../dsc/strategies/strategy.ts';
import { type Diagnostic, diagnostic } from '../ir/diagnostic.ts';
import type { Model } from '../ir/graph.ts';
import { boundOf } from '../latency/roofline.ts';
import type { BoundInputs } from '../passes/bind-inputs.ts';
import { type CountedLayer, type CountedModel, tensorBytes } from '../passes/count-layers.ts';
import type { Facts } from '../passes/infer-facts.ts';
import { type MemorySchedule, memorySchedule } from '../passes/peak-memory.ts';
import type { Analysis } from './analyse.ts';
import { blockSection } from './block-section.ts';
import { reported } from './diagnostic-messages.ts';
import { type ChosenStrategy, dscSection } from './dsc-section.ts';
import { knownFigures, sum } from './known-figures.ts';
import { type LatencyFigures, type LatencyProjector, withoutLatency } from './latency-figures.ts';
import { layerSection, parameterCount, reportedTensor } from './layer-section.ts';
import { memoryPlans, memorySection } from './memory-section.ts';
import { type Coverage, type Layer, type ModelSection, type Report, SCHEMA_VERSION, type Totals } from './report.ts';
import { strategiesSection } from './strategies-section.ts';
import { trainingSection } from './training-section.ts';

/** What the verdicts go by. */
export interface VerdictOptions {
  readonly patterns: LayerPatterns;
  readonly strategy: ChosenStrategy;
  /** Strategies to set side by side; left out where nobody asks. */
  readonly compared?: readonly ChosenStrategy[];
  /** To tell how much of the weights a replacement holds; null where nobody asks. */
  readonly algebra: LinearAlgebra | null;
  /** What stands between the halves of a replacement. */
  readonly between: Between;
  /** Tell what other schedules would need. */
  readonly memory: boolean;
  /** Tell what training costs. */
  readonly training: boolean;
  /** What milliseconds are projected with; null for none. */
  readonly projector: LatencyProjector | null;
}

/** Everything that follows from the counts: verdicts, totals, projections, report. */
export function auditModel(
  analysis: Analysis,
  { patterns, strategy, compared = [], algebra, projector, training, memory, between }: VerdictOptions,
): Report {
  const { path, read, bound, facts, counted } = analysis;
  const { model } = read;
  const convs = convLayers(counted.layers, facts);
  const structures = recogniseStructures(model.graph, counted.layers, facts);
  const schedule = memorySchedule(model, facts);
  const latency = projector?.(analysis) ?? withoutLatency(analysis);
  const totals = totalsOf(facts, counted.layers, schedule, latency);
  const convByIndex = new Map(convs.map((conv) => [conv.index, conv]));
  const roofline = latency.profile?.roofline ?? null;
  const layers = counted.layers.map((layer, index) => {
    const section = layerSection(model, facts, layer, index, convByIndex.get(index));
    const latencyMs = latency.layers[index] ?? null;
    const isFused = latencyMs?.value === 0;
    return {
      ...section,
      bound: isFused ? null : boundOf(section.intensity, roofline),
      kernel: isFused ? null : (latency.kernels[index] ?? null),
      latencyMs,
    };
  });
  const diagnostics = [
    ...read.diagnostics,
    ...bound.diagnostics,
    ...facts.diagnostics,
    ...counted.diagnostics,
    ...leftOut(model, counted),
    ...unmatchedPatterns(patterns, convs),
    ...unusedBindings(analysis),
    ...latency.diagnostics,
  ];
  const blocks = structures.blocks.map((block) => blockSection(block, layers));
  const subject = {
    analysis,
    convs,
    structures,
    layers,
    totals,
    latency,
    choice: layerChoice(patterns),
    between,
    algebra,
  };
  const dsc = dscSection(subject, strategy);
  return {
    schemaVersion: SCHEMA_VERSION,
    tool: { name: 'dsc-audit', version: __DSC_AUDIT_VERSION__ },
    model: modelSection(model, facts, bound, path),
    coverage: coverageOf(layers),
    totals,
    layers,
    memory: memorySection(schedule, counted.layers, memory ? memoryPlans(analysis) : null),
    dsc,
    strategies: strategiesSection(
      compared.map((other) => (other === strategy ? dsc : dscSection(subject, other))),
      blocks,
      layers,
      counted.layers,
    ),
    blocks,
    scaling: null,
    training: training ? trainingSection(analysis, totals) : null,
    profile: latency.profile,
    gate: { status: 'pass', checks: [] },
    baseline: null,
    diagnostics: diagnostics.map(reported),
  };
}

export function modelSection(model: Model, facts: Facts, bound: BoundInputs, path: string): ModelSection {
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
function totalsOf(
  facts: Facts,
  layers: readonly CountedLayer[],
  schedule: MemorySchedule | null,
  latency: LatencyFigures,
): Totals {
  const weights = layers.flatMap(({ ownWeights }) => ownWeights);
  const { params: _, ...figures } = knownFigures(layers);
  const activations = new Set(layers.flatMap(({ outputs }) => outputs));
  return {
    params: parameterCount(weights),
    ...figures,
    activationBytes: sum(Array.from(activations, (id) => tensorBytes(facts.of[id]))),
    peakActivationBytes: schedule?.peakBytes ?? null,
    latencyMs: latency.totalMs,
    isLatencyLowerBound: latency.isLowerBound,
    isLowerBound: !layers.every((layer) => isCounted(layer) && layer.outputBytes !== null),
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
export function unusedBindings({ read: { model }, facts, requestedDims }: Analysis): readonly Diagnostic[] {
  const known = new Set(facts.dataDependentNames);
  for (const { declared } of model.values) {
    for (const dim of declared?.shape ?? []) if (typeof dim !== 'number') known.add(dim.key);
  }
  return Array.from(requestedDims.keys())
    .filter((name) => !known.has(name))
    .map((name) => diagnostic('unused-binding', 'warning', null, { name }));
}
