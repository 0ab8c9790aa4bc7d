/**
 * The cost model: for each group of steps (a kernel, or kernels that run as one), milliseconds as a sum of amounts of work,
 * each times a coefficient that was fitted to measurements.
 */
import { callOf, MAPPED, partsOf, type Work } from './program-work.ts';

/** Coefficients of one group of steps. */
export interface GroupModel {
  /** Milliseconds a unit of each term; `CALL` is what every call costs. */
  readonly coefficients: Readonly<Record<string, number>>;
  /** The greatest amount of each term that was measured: beyond it a prediction is extrapolated. */
  readonly measuredUpTo: Readonly<Record<string, number>>;
  readonly samples: number;
}

export interface CostModel {
  readonly groups: Readonly<Record<string, GroupModel>>;
  /** Milliseconds a vector of four floats of each function of one variable. */
  readonly functions: Readonly<Record<string, number>>;
}

/** A prediction for one step. */
export interface StepPrediction {
  readonly latencyMs: number;
  /** Its shape lies far outside what was measured. */
  readonly isExtrapolated: boolean;
  /** For steps of several calls: what each costs by itself, apart from what they have in common. */
  readonly calls: readonly number[];
}

/** The term that is 1 in every call. */
const CALL = 'call';

/** The group that functions are measured by, and the term that sums their cost elsewhere. */
export const FUNCTIONS = 'unary';
const MAPPED_SUM = 'functions';

/** The terms of a step with functions joined into one, unless they are what is measured. */
export function amountsOf({ terms }: Work, functions: CostModel['functions'] | null): Readonly<Record<string, number>> {
  const amounts: Record<string, number> = { [CALL]: 1 };
  for (const [term, amount] of Object.entries(terms)) {
    if (functions !== null && term.startsWith(MAPPED)) {
      amounts[MAPPED_SUM] = (amounts[MAPPED_SUM] ?? 0) + amount * costOfFunction(functions, term.slice(MAPPED.length));
    } else if (amount > 0) amounts[term] = amount;
  }
  return amounts;
}

/** A function that was not measured costs as much as the dearest. */
const costOfFunction = (functions: CostModel['functions'], fn: string): number =>
  functions[fn] ?? Math.max(0, ...Object.values(functions));

/** Shapes within this factor of the largest measured are no extrapolation: the terms grow evenly. */
const FAR = 2;

/** A sequence that was met less often than this is predicted as its parts one after the other. */
const MIN_SAMPLES = 12;

/** Predicts a step; null where neither its group nor the parts of it were ever measured. */
export function predictStep(model: CostModel, work: Work): StepPrediction | null {
  const group = model.groups[work.group];
  const isRare = group === undefined || group.samples < MIN_SAMPLES;
  return (isRare ? predictParts(model, work) : null) ?? (group === undefined ? null : predictWhole(model, work, group));
}

/** The kernels of a sequence as if each were a step for itself: what they have in common counts for the first. */
function predictParts(model: CostModel, work: Work): StepPrediction | null {
  const parts = partsOf(work);
  if (parts.length < 2) return null;
  let latencyMs = 0;
  const calls: number[] = [];
  for (const part of parts) {
    const group = model.groups[part.group];
    if (group === undefined) return null;
    const predicted = predictWhole(model, part, group);
    latencyMs += predicted.latencyMs;
    calls.push(predicted.latencyMs);
  }
  return { latencyMs, isExtrapolated: true, calls };
}

function predictWhole(model: CostModel, work: Work, group: GroupModel): StepPrediction {
  const amounts = amountsOf(work, work.group === FUNCTIONS ? null : model.functions);
  let latencyMs = 0;
  let isExtrapolated = false;
  const calls: number[] = [];
  for (const [term, amount] of Object.entries(amounts)) {
    const cost = amount * (group.coefficients[term] ?? 0);
    latencyMs += cost;
    isExtrapolated ||= amount > FAR * (group.measuredUpTo[term] ?? 0);
    const call = callOf(term);
    if (call !== null) calls[call] = (calls[call] ?? 0) + cost;
  }
  return { latencyMs, isExtrapolated, calls: Array.from(calls, (cost) => cost ?? 0) };
}
