/**
 * Intervals from what predictions were off by on layers that the fit had not seen (split conformal prediction, Vovk et al.
 * 2005; Lei et al., arXiv:1604.04173): an interval between two quantiles of those errors holds the next one as often.
 */

/** How far measurements lie from predictions: between these shares of the prediction, by quantile. */
export interface Spread {
  /** Signed shares: −0.04 is four per cent below. */
  readonly low: number;
  readonly high: number;
}

/** How often an interval is to hold the measurement. */
const COVERAGE = 0.9;

/** An error of this much is of the clock, not of the prediction: small layers get wider intervals in relation. */
const FLOOR_MS = 0.002;

/** A measurement's distance from its prediction, in shares of the prediction. */
export const errorShare = (measuredMs: number, predictedMs: number): number =>
  (measuredMs - predictedMs) / (predictedMs + FLOOR_MS);

/** The quantiles that hold a new error with the chance `COVERAGE`; none can be told from fewer than a few errors. */
export function spreadOf(errors: readonly number[]): Spread {
  const sorted = [...errors].sort((a, b) => a - b);
  const tail = (1 - COVERAGE) / 2;
  const below = Math.max(0, Math.floor(tail * (sorted.length + 1)) - 1);
  const above = Math.min(sorted.length - 1, Math.ceil((1 - tail) * (sorted.length + 1)) - 1);
  return { low: sorted[below] ?? 0, high: sorted[above] ?? 0 };
}

/** Intervals of shapes far outside the sweep are this much wider. */
const EXTRAPOLATED = 2;

/** The interval around a prediction, in milliseconds. */
export function interval(
  predictedMs: number,
  { low, high }: Spread,
  isExtrapolated: boolean,
): { low: number; high: number } {
  const factor = isExtrapolated ? EXTRAPOLATED : 1;
  const reach = (share: number): number => predictedMs + factor * share * (predictedMs + FLOOR_MS);
  return { low: Math.max(0, Math.min(predictedMs, reach(low))), high: Math.max(predictedMs, reach(high)) };
}
