/** Strategies side by side, for the model and for each block of it. */
import type { StrategyName } from '../dsc/strategies/strategy.ts';
import { addKnown } from '../ir/exact.ts';
import type { ValueId } from '../ir/graph.ts';
import type { CountedLayer } from '../passes/count-layers.ts';
import type { Weight } from '../passes/trace-weights.ts';
import { sum } from './known-figures.ts';
import { sumLatencies } from './latency-figures.ts';
import type {
  BlockSection,
  ComparedMetric,
  ComparedPlace,
  DscSection,
  Figures,
  Latency,
  Layer,
  ModelFigures,
  PlaceUnderStrategy,
  StrategiesSection,
} from './report.ts';

type PlaceMetric = Exclude<ComparedMetric, 'peakActivationBytes'>;

const figureOf = {
  params: ({ params }) => params,
  macs: ({ macs }) => macs,
  flops: ({ flops }) => flops,
  weightBytes: ({ weightBytes }) => weightBytes,
  latencyMs: ({ latencyMs }) => latencyMs?.value ?? null,
  peakActivationBytes: ({ peakActivationBytes }) => peakActivationBytes,
} as const satisfies Record<PlaceMetric, (figures: Figures) => number | null> &
  Record<'peakActivationBytes', (figures: ModelFigures) => number | null>;

export function strategiesSection(
  sections: readonly DscSection[],
  blocks: readonly BlockSection[],
  layers: readonly Layer[],
  counted: readonly CountedLayer[],
): StrategiesSection | null {
  const [first] = sections;
  if (first === undefined) return null;
  const { before } = first.projection;
  const bestOf = (metric: ComparedMetric): StrategyName | null =>
    leastBelow(
      figureOf[metric](before),
      sections.map(({ strategy, projection }) => [strategy, figureOf[metric](projection.after)]),
    );
  return {
    before,
    model: sections.map(({ strategy, ratio, candidates, projection: { after } }) => ({
      strategy,
      ratio,
      candidates: candidates.length,
      after,
    })),
    best: {
      params: bestOf('params'),
      macs: bestOf('macs'),
      flops: bestOf('flops'),
      weightBytes: bestOf('weightBytes'),
      latencyMs: bestOf('latencyMs'),
      peakActivationBytes: bestOf('peakActivationBytes'),
    },
    places: placesOf(sections, blocks, layers, counted),
  };
}

/** The name of what is least and below a figure, the first of several; null where there is none, and where one of them is not known. */
function leastBelow(
  figure: number | null,
  others: readonly (readonly [name: StrategyName, figure: number | null])[],
): StrategyName | null {
  let least = figure;
  let name: StrategyName | null = null;
  for (const [other, value] of others) {
    if (value === null || least === null) return null;
    if (value >= least) continue;
    least = value;
    name = other;
  }
  return name;
}

/** What a strategy says of some layers: a candidate, or a block that was counted and turned down. */
interface Opinion {
  readonly layers: readonly number[];
  readonly before: Figures;
  readonly after: Figures;
  readonly isCandidate: boolean;
}

const opinionsOf = ({ candidates, rejected }: DscSection): readonly Opinion[] => [
  ...candidates.map((candidate) => ({ ...candidate, isCandidate: true })),
  ...rejected.flatMap(({ block }) => (block ? [{ ...block, isCandidate: false }] : [])),
];

function placesOf(
  sections: readonly DscSection[],
  blocks: readonly BlockSection[],
  layers: readonly Layer[],
  counted: readonly CountedLayer[],
): readonly ComparedPlace[] {
  const blockOf = new Map(blocks.flatMap((block) => block.layers.map((layer) => [layer, block] as const)));
  const spots = new Map<BlockSection | number, readonly number[]>();
  const spotOf = ({ layers: own }: Opinion): BlockSection | number => {
    const conv = own.find((index) => layers[index]?.conv) ?? own[0] ?? -1;
    return blockOf.get(conv) ?? conv;
  };
  const told = sections.map((section) => {
    const bySpot = new Map<BlockSection | number, Opinion[]>();
    for (const opinion of opinionsOf(section)) {
      const spot = spotOf(opinion);
      const known = spots.get(spot) ?? (typeof spot === 'number' ? [] : spot.layers);
      spots.set(spot, [...new Set([...known, ...opinion.layers])]);
      bySpot.set(spot, [...(bySpot.get(spot) ?? []), opinion]);
    }
    return { strategy: section.strategy, bySpot };
  });
  return Array.from(spots, ([spot, own]) => [spot, [...own].sort((a, b) => a - b)] as const)
    .sort(([, a], [, b]) => (a[0] ?? 0) - (b[0] ?? 0))
    .map(([spot, own]) => {
      const before = sumOf(own, layers, counted);
      const after = told.map(({ strategy, bySpot }) =>
        underStrategy(strategy, before, bySpot.get(spot) ?? [], counted),
      );
      return {
        name: typeof spot === 'number' ? (layers[spot]?.name ?? '') : spot.name,
        kind: typeof spot === 'number' ? null : spot.kind,
        layers: own,
        before,
        after,
        best: bestHere(before, after),
      };
    });
}

function bestHere(before: Figures, after: readonly PlaceUnderStrategy[]): ComparedPlace['best'] {
  const candidates = after.filter((each) => each.candidates > 0);
  const bestOf = (metric: PlaceMetric): StrategyName | null =>
    leastBelow(
      figureOf[metric](before),
      candidates.map(({ strategy, figures }) => [strategy, figures && figureOf[metric](figures)]),
    );
  return {
    params: bestOf('params'),
    macs: bestOf('macs'),
    flops: bestOf('flops'),
    weightBytes: bestOf('weightBytes'),
    latencyMs: bestOf('latencyMs'),
  };
}

/** What is left of the place: candidates replaced, or else the block that was turned down. */
function underStrategy(
  strategy: StrategyName,
  before: Figures,
  opinions: readonly Opinion[],
  counted: readonly CountedLayer[],
): PlaceUnderStrategy {
  const accepted = opinions.filter(({ isCandidate }) => isCandidate);
  const heard = accepted.length > 0 ? accepted : opinions;
  const gone = new Set<ValueId>();
  const withoutTwice = (opinion: Opinion): Opinion => {
    const read = weightsOf(opinion.layers, counted);
    const again = read.filter(({ id }) => gone.has(id));
    for (const { id } of read) gone.add(id);
    return { ...opinion, before: without(opinion.before, again) };
  };
  return {
    strategy,
    figures: heard.length === 0 ? null : heard.map(withoutTwice).reduce(replacedIn, before),
    candidates: accepted.length,
  };
}

/** A weight that several layers read goes once. */
const without = (figures: Figures, weights: readonly Weight[]): Figures => ({
  ...figures,
  params: figures.params - sum(weights.map(({ elements }) => elements)),
  weightBytes: figures.weightBytes - sum(weights.map(({ bytes }) => bytes)),
});

function replacedIn(figures: Figures, { before, after }: Opinion): Figures {
  return {
    params: figures.params - before.params + after.params,
    macs: moved(figures.macs, before.macs, after.macs),
    flops: moved(figures.flops, before.flops, after.flops),
    weightBytes: figures.weightBytes - before.weightBytes + after.weightBytes,
    latencyMs: movedLatency(figures.latencyMs, before.latencyMs, after.latencyMs),
  };
}

const moved = (figure: number | null, before: number | null, after: number | null): number | null =>
  figure === null || before === null || after === null ? null : figure - before + after;

/** What stays keeps its interval, what comes brings its own. */
function movedLatency(whole: Latency | null, before: Latency | null, after: Latency | null): Latency | null {
  if (whole === null || before === null || after === null) return null;
  const end = (of: (latency: Latency) => number) => Math.max(0, of(whole) - of(before) + of(after));
  return { value: end(({ value }) => value), low: end(({ low }) => low), high: end(({ high }) => high) };
}

/** What layers cost together: a weight that several of them read counts once, and also where a layer elsewhere reads it, too. */
function sumOf(indices: readonly number[], layers: readonly Layer[], counted: readonly CountedLayer[]): Figures {
  const own = indices.flatMap((index) => layers[index] ?? []);
  const weights = weightsOf(indices, counted);
  return {
    params: sum(weights.map(({ elements }) => elements)),
    macs: addKnown(own.map(({ macs }) => macs)),
    flops: addKnown(own.map(({ flops }) => flops)),
    weightBytes: sum(weights.map(({ bytes }) => bytes)),
    latencyMs: sumLatencies(own.map(({ latencyMs }) => latencyMs)),
  };
}

function weightsOf(indices: readonly number[], counted: readonly CountedLayer[]): readonly Weight[] {
  const read = indices.flatMap((index) => counted[index]?.weights ?? []);
  return [...new Map(read.map((weight) => [weight.id, weight])).values()];
}
