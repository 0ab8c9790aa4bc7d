/** What an audit says of milliseconds. How they are projected stands apart, and is loaded only where a profile is there. */
import type { Replaced } from '../dsc/assess.ts';
import type { Strategy } from '../dsc/strategies/strategy.ts';
import type { Diagnostic } from '../ir/diagnostic.ts';
import type { Analysis } from './analyse.ts';
import type { Latency, ProfileSection } from './report.ts';

export interface LatencyFigures {
  readonly profile: ProfileSection | null;
  readonly totalMs: Latency | null;
  /** Some layers are not in the total. */
  readonly isLowerBound: boolean;
  /** By index of the layer. */
  readonly layers: readonly (Latency | null)[];
  /** By index of the layer: what a candidate takes, and what its replacement would. */
  readonly candidates: ReadonlyMap<number, { readonly before: Latency | null; readonly after: Latency | null }>;
  /** Candidates that are not slower once replaced, by index of the layer. */
  readonly recommended: ReadonlySet<number>;
  /** The model with every recommended candidate replaced. */
  readonly afterMs: Latency | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Projects the milliseconds of an audit. */
export type LatencyProjector = (
  analysis: Analysis,
  candidates: readonly Replaced[],
  strategy: Strategy,
) => LatencyFigures;

/** What an audit says where it has no profile: everything is recommended, and no latency known. */
export function withoutLatency({ counted: { layers } }: Analysis, candidates: readonly Replaced[]): LatencyFigures {
  return {
    profile: null,
    totalMs: null,
    isLowerBound: false,
    layers: layers.map(() => null),
    candidates: new Map(),
    recommended: new Set(candidates.map(({ layer }) => layer.index)),
    afterMs: null,
    diagnostics: [],
  };
}
