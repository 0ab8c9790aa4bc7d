/** Fits a cost model to samples, and finds out how far it is off on networks that it has not seen. */
import { DscAuditError } from '../ir/errors.ts';
import { predictStep } from './cost-model.ts';
import { fitCostModel, type Sample } from './fit-cost-model.ts';
import { errorShare, type Spread, spreadOf } from './intervals.ts';
import type { FitError, RepeatError, ThreadFit } from './profile.ts';
import type { Work } from './program-work.ts';
import type { Roofline } from './roofline.ts';
import { median } from './undisturbed.ts';

/** Every network is left out of one of so many fits, and predicted by that. */
const FOLDS = 5;

/** A layer that no fit had seen: prediction beside measurement. */
export interface HeldOutLayer {
  readonly network: number;
  /** The group that takes most of it. */
  readonly group: string;
  readonly predictedMs: number;
  readonly measuredMs: number;
}

/** Milliseconds of a step; null where it cannot be predicted. */
export type Predict = (work: Work) => number | null;

function fitCosts(samples: readonly Sample[]): Predict {
  const model = fitCostModel(samples);
  return (work) => predictStep(model, work)?.latencyMs ?? null;
}

/** Predicts every layer by a fit to the other networks; one with a step that they do not tell of is left out. */
export function heldOutLayers(
  samples: readonly Sample[],
  fitTo: (samples: readonly Sample[]) => Predict = fitCosts,
): readonly HeldOutLayer[] {
  return Array.from({ length: FOLDS }, (_, fold) => {
    const isHeldOut = ({ network }: Sample): boolean => network % FOLDS === fold;
    const predict = fitTo(samples.filter((sample) => !isHeldOut(sample)));
    return layersOf(samples.filter(isHeldOut), predict);
  }).flat();
}

/** Sums steps into layers. */
function layersOf(samples: readonly Sample[], predict: Predict): readonly HeldOutLayer[] {
  const layers = new Map<string, { layer: HeldOutLayer; most: number } | null>();
  for (const sample of samples) {
    const { work, latencyMs, network } = sample;
    const step = predict(work);
    const key = keyOf(sample);
    const known = layers.get(key);
    if (step === null || known === null) {
      layers.set(key, null);
      continue;
    }
    const isMain = known === undefined || step > known.most;
    layers.set(key, {
      most: isMain ? step : known.most,
      layer: {
        network,
        group: isMain ? work.group : known.layer.group,
        predictedMs: (known?.layer.predictedMs ?? 0) + step,
        measuredMs: (known?.layer.measuredMs ?? 0) + latencyMs,
      },
    });
  }
  return [...layers.values()].flatMap((sum) => (sum === null ? [] : [sum.layer]));
}

/** Fewer errors of a kernel tell less than those of all. */
const MIN_ERRORS = 30;

function layerSpreads(layers: readonly HeldOutLayer[]): Pick<ThreadFit, 'layerSpread' | 'pooledSpread'> {
  const byGroup = new Map<string, number[]>();
  for (const { group, measuredMs, predictedMs } of layers) {
    const errors = byGroup.get(group) ?? [];
    errors.push(errorShare(measuredMs, predictedMs));
    byGroup.set(group, errors);
  }
  const own = [...byGroup].filter(([, errors]) => errors.length >= MIN_ERRORS);
  return {
    layerSpread: Object.fromEntries(own.map(([group, errors]) => [group, spreadOf(errors)])),
    pooledSpread: spreadOf([...byGroup.values()].flat()),
  };
}

/** Whole networks, as sums of their layers. */
function heldOutNetworks(layers: readonly HeldOutLayer[]): readonly Pick<HeldOutLayer, 'predictedMs' | 'measuredMs'>[] {
  const networks = new Map<number, { predictedMs: number; measuredMs: number }>();
  for (const { network, predictedMs, measuredMs } of layers) {
    const sum = networks.get(network) ?? { predictedMs: 0, measuredMs: 0 };
    networks.set(network, { predictedMs: sum.predictedMs + predictedMs, measuredMs: sum.measuredMs + measuredMs });
  }
  return [...networks.values()];
}

/** Share of layers that lie within an interval from the layers of the other networks. */
function coverageOf(layers: readonly HeldOutLayer[]): number {
  const halves = [0, 1].map((half) => layers.filter(({ network }) => network % 2 === half));
  const held = halves.flatMap((half, index) => {
    const spreads = layerSpreads(halves[1 - index] ?? []);
    return half.map(({ group, measuredMs, predictedMs }) =>
      isWithin(errorShare(measuredMs, predictedMs), spreads.layerSpread[group] ?? spreads.pooledSpread),
    );
  });
  return held.filter(Boolean).length / Math.max(1, held.length);
}

const isWithin = (error: number, { low, high }: Spread): boolean =>
  error >= Math.min(0, low) && error <= Math.max(0, high);

const relative = ({ predictedMs, measuredMs }: Pick<HeldOutLayer, 'predictedMs' | 'measuredMs'>): number =>
  Math.abs(predictedMs / measuredMs - 1);

const shareWithin10 = (errors: readonly number[]): number =>
  errors.filter((error) => error <= 0.1).length / Math.max(1, errors.length);

/**
 * Errors of predictions; `repeats` are measurements of the same steps, to tell how far those are apart.
 *
 * @throws {DscAuditError} `cannot-run` where no layer was predicted
 */
export function errorsOf(layers: readonly HeldOutLayer[], repeats: readonly (readonly Sample[])[] = []): FitError {
  const errors = layers.map(relative);
  const networks = heldOutNetworks(layers).map(relative);
  const [layerError, networkError] = [median(errors), median(networks)];
  if (layerError === null || networkError === null) {
    throw new DscAuditError(
      'cannot-run',
      'Too little could be timed to fit costs to; try again when the machine is idle.',
    );
  }
  return {
    medianPercent: 100 * layerError,
    within10Percent: shareWithin10(errors),
    heldOut: layers.length,
    coverage: coverageOf(layers),
    networkMedianPercent: 100 * networkError,
    networkWithin10Percent: shareWithin10(networks),
    repeat: repeatError(repeats),
  };
}

/** Layers of the first measurement beside those of the second; a network that one of them lacks does not count. */
function repeatError([first = [], second = []]: readonly (readonly Sample[])[]): RepeatError | null {
  const measured = new Map(measuredLayers(second).map(({ key, measuredMs }) => [key, measuredMs]));
  const errors = measuredLayers(first).flatMap(({ key, measuredMs }) => {
    const again = measured.get(key);
    return again === undefined ? [] : [Math.abs(again / measuredMs - 1)];
  });
  const middle = median(errors);
  return middle === null ? null : { medianPercent: 100 * middle, within10Percent: shareWithin10(errors) };
}

function measuredLayers(samples: readonly Sample[]): readonly { key: string; measuredMs: number }[] {
  const layers = new Map<string, number>();
  for (const sample of samples) layers.set(keyOf(sample), (layers.get(keyOf(sample)) ?? 0) + sample.latencyMs);
  return Array.from(layers, ([key, measuredMs]) => ({ key, measuredMs }));
}

const keyOf = ({ network, layer }: Sample): string => `${network}:${layer}`;

/** The fit for one number of threads: to all samples, with the errors of fits to parts of them. */
export function threadFit(
  threads: number,
  samples: readonly Sample[],
  repeats: readonly (readonly Sample[])[],
  roofline: Roofline | null,
): ThreadFit {
  const layers = heldOutLayers(samples);
  const networks = heldOutNetworks(layers);
  return {
    threads,
    roofline,
    model: fitCostModel(samples),
    ...layerSpreads(layers),
    networkSpread: spreadOf(networks.map(({ measuredMs, predictedMs }) => errorShare(measuredMs, predictedMs))),
    error: errorsOf(layers, repeats),
  };
}
