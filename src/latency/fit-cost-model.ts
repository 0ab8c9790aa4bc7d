/** Fits a cost model to measurements. */
import { amountsOf, type CostModel, FUNCTIONS, type GroupModel } from './cost-model.ts';
import { MAPPED, type Work } from './program-work.ts';
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

function fitGroup(samples: readonly Sample[], functions: CostModel['functions'] | null): GroupModel {
  const amounts = samples.map(({ work }) => amountsOf(work, functions));
  const terms = [...new Set(amounts.flatMap((amount) => Object.keys(amount)))];
  const rows = amounts.map((amount) => terms.map((term) => amount[term] ?? 0));
  const fitted = fitRelative(
    rows,
    samples.map(({ latencyMs }) => latencyMs),
    FLOOR_MS,
  );
  const entries = terms.map((term, index) => [term, fitted[index] ?? 0] as const);
  return {
    coefficients: Object.fromEntries(entries.filter(([, cost]) => cost > 0)),
    measuredUpTo: Object.fromEntries(
      terms.map((term, index) => [term, rows.reduce((most, row) => Math.max(most, row[index] ?? 0), 0)]),
    ),
    samples: samples.length,
  };
}
