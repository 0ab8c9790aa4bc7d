import type {
  BeforeAfter,
  ComparedModel,
  Comparison,
  LayerChange,
  LayerDifference,
  RelativeChange,
} from '../audit/report.ts';
import { matchLayers } from './match-layers.ts';
import type { MeasuredLayer, MeasuredReport } from './measured-report.ts';
import { METRICS, type MetricName } from './metrics.ts';

/** Two models side by side: totals, and the layers that were added, removed and changed. */
export function compare(before: MeasuredReport, after: MeasuredReport): Comparison {
  const pairs = matchLayers(before.layers, after.layers);
  const partners = new Map(pairs.map(([index, place]) => [place, index]));
  const kept = new Set(pairs.map(([index]) => index));
  const counts = { added: 0, removed: 0, changed: 0, renamed: 0, unchanged: 0 };
  const layers: LayerChange[] = [];
  let told = 0;
  /** What is gone is told where it stood: behind the layer in front of it. */
  const tellRemoved = (end: number): void => {
    for (; told < before.layers.length && (told < end || !kept.has(told)); told++) {
      const layer = before.layers[told];
      if (kept.has(told) || layer === undefined) continue;
      counts.removed++;
      layers.push(changeOf('removed', layer, null, []));
    }
  };
  tellRemoved(0);
  for (const [place, layer] of after.layers.entries()) {
    const partner = partners.get(place);
    const original = partner === undefined ? undefined : before.layers[partner];
    if (partner === undefined || original === undefined) {
      counts.added++;
      layers.push(changeOf('added', null, layer, []));
      continue;
    }
    const differences = differencesOf(original, layer);
    const isRenamed = differences.length === 1 && differences[0] === 'name';
    const status = differences.length === 0 ? 'unchanged' : isRenamed ? 'renamed' : 'changed';
    counts[status]++;
    if (status === 'changed') layers.push(changeOf(status, original, layer, differences));
    tellRemoved(partner + 1);
  }
  tellRemoved(before.layers.length);
  return { before: comparedModel(before), after: comparedModel(after), change: changes(before, after), counts, layers };
}

function comparedModel({ model: { name, path, fileBytes }, totals }: MeasuredReport): ComparedModel {
  return { name, path, fileBytes, totals };
}

function changes(before: MeasuredReport, after: MeasuredReport): RelativeChange {
  const by = (metric: MetricName): number | null => {
    const { read, incomparable } = METRICS[metric];
    const [was, is] = [before, after].map((report) => read(report, { referenceProfile: true }));
    if (was?.doubt !== null || is?.doubt !== null || (incomparable?.(before, after) ?? null) !== null) return null;
    return relative(was.value, is.value);
  };
  const isWhole = !before.totals.isLowerBound && !after.totals.isLowerBound;
  return {
    params: by('params'),
    macs: by('macs'),
    flops: by('flops'),
    weightBytes: by('weight-bytes'),
    activationBytes: isWhole ? relative(before.totals.activationBytes, after.totals.activationBytes) : null,
    peakActivationBytes: by('peak-memory'),
    fileBytes: by('size'),
    // The gate holds the upper ends of the intervals against each other; side by side stand the values.
    latencyMs: by('latency') === null ? null : relative(latencyOf(before), latencyOf(after)),
  };
}

const latencyOf = ({ totals }: MeasuredReport): number | null => totals.latencyMs?.value ?? null;

function relative(before: number | null, after: number | null): number | null {
  if (before === null || after === null) return null;
  if (before === 0) return after === 0 ? 0 : null;
  return (after - before) / before;
}

function changeOf(
  status: LayerChange['status'],
  before: MeasuredLayer | null,
  after: MeasuredLayer | null,
  differences: readonly LayerDifference[],
): LayerChange {
  const figures = (read: (layer: MeasuredLayer) => number | null): BeforeAfter => ({
    before: before && read(before),
    after: after && read(after),
  });
  return {
    status,
    before: before?.name ?? null,
    after: after?.name ?? null,
    op: (after ?? before)?.op ?? '',
    differences,
    params: figures(({ params }) => params.total),
    macs: figures(({ macs }) => macs),
  };
}

/** What two layers may differ in; each entry reads it as something that compares. */
const ASPECTS: Readonly<Record<LayerDifference, (layer: MeasuredLayer) => unknown>> = {
  name: ({ name }) => name,
  op: ({ op }) => op,
  conv: ({ conv }) => conv && Object.entries(conv).sort(),
  inputs: ({ inputShapes }) => inputShapes,
  outputs: ({ outputShapes }) => outputShapes,
  params: ({ params }) => params.total,
  macs: ({ macs }) => macs,
};

const DIFFERENCES = Object.keys(ASPECTS).filter((key): key is LayerDifference => Object.hasOwn(ASPECTS, key));

function differencesOf(before: MeasuredLayer, after: MeasuredLayer): readonly LayerDifference[] {
  return DIFFERENCES.filter((aspect) => !isSame(ASPECTS[aspect](before), ASPECTS[aspect](after)));
}

function isSame(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object') return one === other;
  return JSON.stringify(one) === JSON.stringify(other);
}
