/** Fits a cost model to measurements. */
import { amountsOf, type CostModel, FUNCTIONS, type GroupModel } from './cost-model.ts';
import { countsBytes, MAPPED, type Work } from './program-work.ts';
import { fitRelative } from './regression.ts';

/** A step that was timed. */
export interface Sample {
  readonly work: Work;
  readonly latencyMs: number;
  /** The network that it was timed in, and its layer there. */
  readonly network: number;
  readonly layer: number;
}

/** What a measurement of nothing is off by: the clock and the call around it. */
const FLOOR_MS = 0.0003;

/** Fits a model to the samples. Groups with fewer samples than terms rest on what the ridge leaves them. */
export function fitCostModel(samples: readonly Sample[]): CostModel {
  const byGroup = new Map<string, Sample[]>();
  for (const sample of samples) {
    const members = byGroup.get(sample.work.group) ?? [];
    members.push(sample);
    byGroup.set(sample.work.group, members);
  }
  const own = fitGroup(byGroup.get(FUNCTIONS) ?? [], null);
  const functions = Object.fromEntries(
    Object.entries(own.coefficients).flatMap(([term, cost]) =>
      term.startsWith(MAPPED) ? [[term.slice(MAPPED.length), cost]] : [],
    ),
  );
  const groups = Array.from(
    byGroup,
    ([name, members]) => [name, name === FUNCTIONS ? own : fitGroup(members, functions)] as const,
  );
  return { groups: Object.fromEntries(groups), functions };
}

/** A page: what fewer bytes cost cannot be told from what the call costs. */
const MIN_BYTES = 4096;

/**
 * A line of 64 bytes takes about 0.1 µs from memory where nothing hides it. Of a line at least four bytes are used, so that
 * one of them costs no more than this: what a fit puts above it is the cost of something else.
 */
const MAX_MS_A_BYTE = 1e-4 / 4;

function fitGroup(samples: readonly Sample[], functions: CostModel['functions'] | null): GroupModel {
  const amounts = samples.map(({ work }) => amountsOf(work, functions));
  const terms = [...new Set(amounts.flatMap((amount) => Object.keys(amount)))];
  const measuredUpTo = Object.fromEntries(
    terms.map((term) => [term, amounts.reduce((most, amount) => Math.max(most, amount[term] ?? 0), 0)]),
  );
  const isTold = (term: string): boolean => !countsBytes(term) || (measuredUpTo[term] ?? 0) >= MIN_BYTES;
  const latencies = samples.map(({ latencyMs }) => latencyMs);
  const costs = plausibleCosts(amounts, terms.filter(isTold), latencies).filter(([, cost]) => cost > 0);
  return { coefficients: Object.fromEntries(costs), measuredUpTo, samples: samples.length };
}

type Costs = readonly (readonly [term: string, costMs: number])[];

/** The best costs of the terms, without those that cost more than they can. */
function plausibleCosts(
  amounts: readonly Readonly<Record<string, number>>[],
  terms: readonly string[],
  latencies: readonly number[],
): Costs {
  const rows = amounts.map((amount) => terms.map((term) => amount[term] ?? 0));
  const fitted = fitRelative(rows, latencies, FLOOR_MS);
  const costs = terms.map((term, index) => [term, fitted[index] ?? 0] as const);
  const possible = costs.filter(([term, cost]) => !countsBytes(term) || cost <= MAX_MS_A_BYTE).map(([term]) => term);
  return possible.length === terms.length ? costs : plausibleCosts(amounts, possible, latencies);
}
