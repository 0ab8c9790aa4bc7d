/** What an audit says of milliseconds. How they are projected stands apart, and is loaded only where a profile is there. */
import type { ProjectedModel } from '../dsc/projected-model.ts';
import type { Diagnostic } from '../ir/diagnostic.ts';
import type { Node } from '../ir/graph.ts';
import type { Analysis } from './analyse.ts';
import type { Latency, ProfileSection } from './report.ts';

/** What several take together; null where one of them is not known. */
export const sumLatencies = (latencies: readonly (Latency | null)[]): Latency | null =>
  latencies.reduce<Latency | null>(
    (sum, each) =>
      sum && each && { value: sum.value + each.value, low: sum.low + each.low, high: sum.high + each.high },
    { value: 0, low: 0, high: 0 },
  );

/** Milliseconds of a graph. */
export interface GraphLatency {
  readonly totalMs: Latency | null;
  /** What some nodes take together; null where one of them is not known. */
  latencyOf(nodes: readonly Node[]): Latency | null;
}

export interface LatencyFigures extends GraphLatency {
  readonly profile: ProfileSection | null;
  /** Some layers are not in the total. */
  readonly isLowerBound: boolean;
  /** By index of the layer. */
  readonly layers: readonly (Latency | null)[];
  /** What the backend runs each layer with, by index; null where it runs none of it. */
  readonly kernels: readonly (string | null)[];
  readonly diagnostics: readonly Diagnostic[];
  /** The same of the model with replacements; null where it is not known. */
  project(projected: ProjectedModel): GraphLatency | null;
}

/** Projects the milliseconds of an audit. */
export type LatencyProjector = (analysis: Analysis) => LatencyFigures;

/** What an audit says where it has no profile: no latency is known. */
export function withoutLatency({ counted: { layers } }: Analysis): LatencyFigures {
  return {
    profile: null,
    totalMs: null,
    isLowerBound: false,
    layers: layers.map(() => null),
    kernels: layers.map(() => null),
    diagnostics: [],
    latencyOf: () => null,
    project: () => null,
  };
}
