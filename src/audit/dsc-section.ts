/** The verdicts of one strategy, and the model as it would be. */
import { assess, type Replaced, savedBy, weightReadings } from '../dsc/assess.ts';
import type { assessBlocks, PlaceFigures, ReplacedPlace } from '../dsc/assess-blocks.ts';
import type { Structures } from '../dsc/blocks/index.ts';
import type { ConvLayer } from '../dsc/conv-layer.ts';
import { convWeights } from '../dsc/conv-weights.ts';
import type { LayerChoice } from '../dsc/eligibility.ts';
import { energyByRank } from '../dsc/factorisation.ts';
import { elementsBetween } from '../dsc/figures.ts';
import type { LinearAlgebra } from '../dsc/linear-algebra.ts';
import { savingCurve } from '../dsc/plan-rewrite.ts';
import { type ProjectedModel, projectedModel, type Replacement, TAKES_BIAS } from '../dsc/projected-model.ts';
import { replacementName } from '../dsc/replacement-name.ts';
import { separableReplacements } from '../dsc/separable-replacements.ts';
import { settledBetween } from '../dsc/settled-between.ts';
import type { Between, BlockStrategy, ConvFigures, Strategy } from '../dsc/strategies/strategy.ts';
import { addExact, multiplyExact } from '../ir/exact.ts';
import { staticExtents } from '../ir/fact.ts';
import type { Node } from '../ir/graph.ts';
import { boundOf } from '../latency/roofline.ts';
import { settledPads } from '../ops/window.ts';
import { countLayers } from '../passes/count-layers.ts';
import { memorySchedule } from '../passes/peak-memory.ts';
import type { Analysis } from './analyse.ts';
import { knownFigures } from './known-figures.ts';
import type { LatencyFigures } from './latency-figures.ts';
import { intensityOf } from './layer-section.ts';
import type {
  Approximation,
  Candidate,
  DscSection,
  Latency,
  Layer,
  ModelFigures,
  NewConvSection,
  Totals,
} from './report.ts';

/** A strategy for blocks with the ratio that it leaves open, and what assesses blocks: that is loaded where it is asked for. */
export interface ChosenBlockStrategy {
  readonly strategy: BlockStrategy;
  readonly ratio: number;
  readonly assess: typeof assessBlocks;
}

export type ChosenStrategy = Strategy | ChosenBlockStrategy;

/** What verdicts are given on. */
export interface Subject {
  readonly analysis: Analysis;
  readonly convs: readonly ConvLayer[];
  readonly structures: Structures;
  readonly layers: readonly Layer[];
  readonly totals: Totals;
  readonly latency: LatencyFigures;
  readonly choice: LayerChoice;
  readonly between: Between;
  readonly algebra: LinearAlgebra | null;
}

/** A candidate before its milliseconds are known. */
interface Proposed {
  readonly told: Omit<Candidate, 'before' | 'after' | 'recommended' | 'bound'>;
  readonly before: ConvFigures;
  readonly after: ConvFigures;
  /** The nodes that go. */
  readonly nodes: readonly Node[];
  /** One for each call of what goes; none where it cannot be laid out in a graph. */
  readonly replacements: readonly Replacement[];
}

interface Verdicts<P extends Proposed> {
  readonly candidates: readonly P[];
  readonly rejected: DscSection['rejected'];
  /** The model's figures with some of them replaced. */
  figuresWith(candidates: readonly P[], projected: ProjectedModel): ConvFigures;
}

export function dscSection(subject: Subject, chosen: ChosenStrategy): DscSection {
  if ('assess' in chosen) {
    const { strategy, ratio } = chosen;
    const section = sectionOf(subject, blockVerdicts(subject, chosen));
    return { strategy: strategy.name, ratio: { option: strategy.ratio.option, value: ratio }, ...section, curve: null };
  }
  const verdicts = convVerdicts(subject, chosen);
  const replaceable = verdicts.candidates.flatMap(({ told: { approximation }, replaced: { layer } }) =>
    approximation ? [{ layer, energyByRank: approximation.energyByRank }] : [],
  );
  return {
    strategy: chosen.name,
    ratio: null,
    ...sectionOf(subject, verdicts),
    curve: replaceable.length > 0 ? savingCurve(replaceable, subject.analysis.counted.layers, chosen) : null,
  };
}

/** Projects every candidate, and then the model with those that are not slower. */
function sectionOf<P extends Proposed>(
  { analysis, totals, latency }: Subject,
  { candidates, rejected, figuresWith }: Verdicts<P>,
): Omit<DscSection, 'strategy' | 'ratio' | 'curve'> {
  const project = (some: readonly P[]): ProjectedModel =>
    projectedModel(
      analysis.read.model,
      analysis.facts,
      some.flatMap(({ replacements }) => replacements),
    );
  const all = project(candidates);
  const allLatency = candidates.length === 0 ? null : latency.project(all);
  const timed = candidates.map((proposed) => {
    const nodes = proposed.replacements.flatMap((replacement) => all.nodes.get(replacement) ?? []);
    const before = latency.latencyOf(proposed.nodes);
    const after = isLaidOut(proposed) ? (allLatency?.latencyOf(nodes) ?? null) : null;
    return { proposed, before, after, recommended: !isSlower(before, after) };
  });
  const kept = timed.filter(({ recommended }) => recommended).map(({ proposed }) => proposed);
  const isAll = kept.length === candidates.length;
  const plan = isAll ? all : project(kept);
  const planLatency = isAll ? allLatency : latency.project(plan);
  // A graph that still has what is to go tells nothing of the model without it.
  const isWhole = kept.every(isLaidOut);
  const before: ModelFigures = {
    params: totals.params.total,
    macs: totals.macs,
    flops: totals.flops,
    weightBytes: totals.weightBytes,
    latencyMs: totals.latencyMs,
    peakActivationBytes: totals.peakActivationBytes,
  };
  const roofline = latency.profile?.roofline ?? null;
  return {
    candidates: timed.map(({ proposed, before: now, after: then, recommended }) => {
      const { intensity: moved, approximation, ...named } = proposed.told;
      return {
        ...named,
        before: { ...proposed.before, latencyMs: now },
        after: { ...proposed.after, latencyMs: then },
        recommended,
        intensity: moved,
        bound: { before: boundOf(moved.before, roofline), after: boundOf(moved.after, roofline) },
        approximation,
      };
    }),
    rejected,
    projection: {
      before,
      after: {
        ...figuresWith(kept, plan),
        latencyMs: kept.length === 0 ? latency.totalMs : isWhole ? (planLatency?.totalMs ?? null) : null,
        peakActivationBytes: isWhole ? (memorySchedule(plan.model, plan.facts)?.peakBytes ?? null) : null,
      },
      convertibleMacs: candidates.reduce((sum, { before: { macs } }) => addExact(sum, macs ?? 0), 0),
    },
  };
}

const isLaidOut = ({ replacements }: Proposed): boolean => replacements.length > 0;

/** What is not known is no reason against. */
const isSlower = (before: Latency | null, after: Latency | null): boolean =>
  before !== null && after !== null && after.value >= before.value;

type ProposedConv = Proposed & { readonly replaced: Replaced };

function convVerdicts(subject: Subject, strategy: Strategy): Verdicts<ProposedConv> {
  const { analysis, convs, choice, between, totals, layers } = subject;
  const { model } = analysis.read;
  const counted = settledBetween(between, analysis.counted.layers);
  const { candidates, rejected } = assess(convs, strategy, choice, counted);
  const readings = weightReadings(analysis.counted.layers);
  const own = new Set(analysis.facts.order.get(model.graph) ?? model.graph.nodes);
  return {
    candidates: candidates.map((replaced): ProposedConv => {
      const { layer, before, after } = replaced;
      const replacements = separableReplacements(layer, strategy, { rank: 1, between: counted });
      const [replacement] = replacements;
      return {
        replaced,
        before,
        after,
        nodes: layer.calls,
        replacements: layer.calls.every((node) => own.has(node)) ? replacements : [],
        told: {
          layer: layer.name,
          index: layer.index,
          layers: [layer.index],
          becomes: replacement === undefined ? [] : becomes(replacement, analysis),
          replacement: replacementName(layer),
          intensity: intensitiesOf(layer, after, strategy, layers[layer.index]),
          approximation: approximationOf(analysis, layer, strategy, subject.algebra),
        },
      };
    }),
    rejected: rejected.map(({ layer, reason }) => ({ layer: layer.name, index: layer.index, reason })),
    figuresWith: (kept) => {
      const saved = savedBy(
        kept.map(({ replaced }) => replaced),
        readings,
      );
      return {
        params: totals.params.total - saved.params,
        macs: totals.macs - saved.macs,
        flops: totals.flops - saved.flops,
        weightBytes: totals.weightBytes - saved.weightBytes,
      };
    },
  };
}

function blockVerdicts(
  { analysis, convs, structures, choice, layers }: Subject,
  { strategy, ratio, assess: assessed }: ChosenBlockStrategy,
): Verdicts<Proposed> {
  const { read, facts, counted } = analysis;
  const around = { convs, layers: counted.layers, structures, facts };
  const { candidates, rejected } = assessed(read.model, around, strategy, ratio, choice);
  const counts = (place: ReplacedPlace) => ({
    layers: place.layers,
    becomes: becomes(place.replacement, analysis),
  });
  return {
    candidates: candidates.map((place) => ({
      before: figuresOnly(place.before),
      after: figuresOnly(place.after),
      nodes: place.layers.flatMap((index) => (counted.layers[index]?.parts ?? []).map(({ node }) => node)),
      replacements: [place.replacement],
      told: {
        layer: layers[place.convs[0].index]?.name ?? '',
        index: place.convs[0].index,
        ...counts(place),
        replacement: null,
        intensity: { before: intensity(place.before), after: intensity(place.after) },
        approximation: null,
      },
    })),
    rejected: rejected.map(({ layer, reason, place }) => ({
      layer: layer.name,
      index: layer.index,
      reason,
      ...(place === null || place.convs[0] !== layer
        ? {}
        : { block: { ...counts(place), before: untimed(place.before), after: untimed(place.after) } }),
    })),
    figuresWith: (_, { model, facts: projected }) => knownFigures(countLayers(model, projected).layers),
  };
}

const figuresOnly = ({ params, macs, flops, weightBytes }: ConvFigures): ConvFigures => ({
  params,
  macs,
  flops,
  weightBytes,
});

const untimed = (figures: ConvFigures) => ({ ...figuresOnly(figures), latencyMs: null });

const intensity = ({ flops, bytesMoved }: PlaceFigures): number | null => intensityOf(flops, bytesMoved, 0, 0);

/** The convolutions of a replacement with every attribute. */
function becomes({ replaced, convs, kernel, window }: Replacement, { facts }: Analysis): readonly NewConvSection[] {
  const [first] = replaced;
  const last = replaced.at(-1) ?? first;
  const input = staticExtents(facts.of[first.node.inputs[0] ?? -1]);
  const spatial = first.node.attrs.channelsLast ? input?.slice(1, -1) : input?.slice(2);
  const isSettled = spatial !== undefined || window.padding.mode === 'explicit';
  const ends = kernel.map((extent, axis) => settledPads(spatial?.[axis] ?? 0, axis, extent, window));
  const pads = [...ends.map(([begin]) => begin), ...ends.map(([, end]) => end)];
  const fill = (value: number) => kernel.map(() => value);
  return convs.map(({ part, inChannels, outChannels, groups, isSpatial, closing }) => {
    const template = closing === 'as-first' ? first : last;
    return {
      part,
      inChannels,
      outChannels,
      kernel: isSpatial ? kernel : fill(1),
      strides: isSpatial ? kernel.map((_, axis) => window.strides[axis] ?? 1) : fill(1),
      dilations: isSpatial ? kernel.map((_, axis) => window.dilations[axis] ?? 1) : fill(1),
      pads: isSpatial ? (isSettled ? pads : null) : [...fill(0), ...fill(0)],
      groups,
      bias: TAKES_BIAS[closing] && (closing === 'bias-relu' || typeof template.node.inputs[2] === 'number'),
    };
  });
}

/** Reads the layer's weights, and tells how much of them each rank holds. */
function approximationOf(
  { read: { model }, facts }: Analysis,
  layer: ConvLayer,
  strategy: Strategy,
  algebra: LinearAlgebra | null,
): Approximation | null {
  const weights = algebra === null ? null : convWeights(model, facts, layer);
  if (algebra === null || weights === null) return null;
  const energies = energyByRank(weights, strategy.slices(layer), algebra);
  return energies && { rank: 1, energy: energies[0] ?? 1, energyByRank: energies };
}

function intensitiesOf(
  layer: ConvLayer,
  { flops, weightBytes }: ConvFigures,
  strategy: Strategy,
  section: Layer | undefined,
): Candidate['intensity'] {
  const between = elementsBetween(layer, strategy);
  const before = section?.intensity ?? null;
  const { inputBytes = null, outputBytes = null, repeats = 1 } = section ?? {};
  if (between === null || layer.outputPositions === null || inputBytes === null || outputBytes === null) {
    return { before, after: null };
  }
  // What lies between the halves has the type of the output, and is written and read.
  const outputElements = layer.outputPositions * layer.outChannels;
  const betweenBytes = outputElements === 0 ? 0 : between * (outputBytes / outputElements);
  const moved = [inputBytes + betweenBytes, outputBytes + betweenBytes] as const;
  return { before, after: intensityOf(flops, ...moved, multiplyExact(weightBytes, repeats)) };
}
