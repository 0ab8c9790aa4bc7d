/** Projects a model's latency with a profile. */
import type { AnalysedModel } from '../runtime/network/analysed-model.ts';
import type { UnrunnableNode } from '../runtime/network/runnable-part.ts';
import type { PlannedWork, WorkLayer } from './backends/backend.ts';
import { backendOf } from './backends/index.ts';
import { predictStep } from './cost-model.ts';
import { interval } from './intervals.ts';
import type { Profile, ThreadFit } from './profile.ts';
import type { StepWork } from './program-work.ts';

/** Milliseconds with the interval that holds them nine times out of ten. */
export interface Projected {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface ProjectedLayer extends WorkLayer {
  /** Null where the profile has never met a kernel of it. */
  readonly latencyMs: Projected | null;
  /** Its shape lies far outside what was measured. */
  readonly isExtrapolated: boolean;
}

export interface ModelProjection {
  /** As the backend runs them. */
  readonly layers: readonly ProjectedLayer[];
  /** By position in the model's order of nodes; nodes that are computed together share what they take. */
  readonly nodes: ReadonlyMap<number, Projected>;
  /** The sum of what is known; null where nothing is. */
  readonly totalMs: Projected | null;
  /** Some layers are not in the total. */
  readonly isLowerBound: boolean;
  readonly unrunnable: readonly UnrunnableNode[];
}

/** The fit for a number of threads; null where the profile has none. */
export const fitFor = ({ fits }: Profile, threads: number): ThreadFit | null =>
  fits.find((fit) => fit.threads === threads) ?? null;

/**
 * What the model would take with the profile's backend and machine, on the profile's first number of threads if none is given.
 * `exact` leaves out what changes the order of arithmetic, where the backend has a choice.
 */
export function projectModel(
  model: AnalysedModel,
  profile: Profile,
  fit: ThreadFit | undefined = profile.fits[0],
  { exact = false }: { readonly exact?: boolean } = {},
): ModelProjection {
  if (fit === undefined) throw new Error('The profile has no fit.');
  const planned = backendOf(profile.backend).plan(model, { variant: profile.variant, threads: fit.threads, exact });
  return projectPlan(model, planned, fit);
}

function projectPlan({ nodes }: AnalysedModel, planned: PlannedWork, fit: ThreadFit): ModelProjection {
  const shares = new Map<number, Projected>();
  const stepsByLayer: StepWork[][] = planned.layers.map(() => []);
  for (const step of planned.steps) stepsByLayer[step.layer]?.push(step);
  const layers = planned.layers.map((layer, index): ProjectedLayer => {
    const predicted = predictLayer(stepsByLayer[index] ?? [], fit);
    if (predicted === null) return { ...layer, latencyMs: null, isExtrapolated: true };
    const { latencyMs, isExtrapolated, calls } = predicted;
    const convolutions = layer.nodes.filter((node) => nodes[node]?.kind === 'conv');
    for (const [node, part] of sharesOf(layer.nodes, convolutions, calls)) shares.set(node, shareOf(latencyMs, part));
    return { ...layer, latencyMs, isExtrapolated };
  });
  const known = layers.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs.value]));
  const value = known.reduce((sum, latencyMs) => sum + latencyMs, 0);
  const isExtrapolated = layers.some((layer) => layer.isExtrapolated && (layer.latencyMs?.value ?? 0) > value / 10);
  return {
    layers,
    nodes: shares,
    totalMs: known.length === 0 ? null : { value, ...interval(value, fit.networkSpread, isExtrapolated) },
    isLowerBound: planned.unrunnable.length > 0 || known.length < layers.length,
    unrunnable: planned.unrunnable,
  };
}

const shareOf = ({ value, low, high }: Projected, part: number): Projected => ({
  value: value * part,
  low: low * part,
  high: high * part,
});

interface PredictedLayer {
  readonly latencyMs: Projected;
  readonly isExtrapolated: boolean;
  /** What the calls of its main step cost by themselves. */
  readonly calls: readonly number[];
}

function predictLayer(steps: readonly StepWork[], fit: ThreadFit): PredictedLayer | null {
  let value = 0;
  let most: { group: string; latencyMs: number; calls: readonly number[] } = { group: '', latencyMs: -1, calls: [] };
  let isExtrapolated = false;
  for (const step of steps) {
    const predicted = predictStep(fit.model, step);
    if (predicted === null) return null;
    value += predicted.latencyMs;
    isExtrapolated ||= predicted.isExtrapolated;
    if (predicted.latencyMs > most.latencyMs) most = { ...predicted, group: step.group };
  }
  const spread = fit.layerSpread[most.group] ?? fit.pooledSpread;
  return { latencyMs: { value, ...interval(value, spread, isExtrapolated) }, isExtrapolated, calls: most.calls };
}

/**
 * What of a layer's time each of its nodes takes: all of it the first, and nothing what is done on the way; a depthwise layer
 * and the pointwise one behind it what their own work costs.
 */
function sharesOf(
  nodes: readonly number[],
  convolutions: readonly number[],
  calls: readonly number[],
): readonly (readonly [node: number, part: number])[] {
  const sum = calls.reduce((total, cost) => total + cost, 0);
  const isPair = convolutions.length > 1 && convolutions.length === calls.length && sum > 0;
  return nodes.map((node, position) => {
    if (!isPair) return [node, position === 0 ? 1 : 0];
    const call = convolutions.indexOf(node);
    return [node, call < 0 ? 0 : (calls[call] ?? 0) / sum];
  });
}
