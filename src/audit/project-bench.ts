/** What a profile says of a network that is timed: layer by layer, as it is run. */
import { type Diagnostic, diagnostic } from '../ir/diagnostic.ts';
import type { ChosenProfile } from '../latency/choose-profile.ts';
import { fitFor, type ProjectedLayer, projectModel } from '../latency/project.ts';
import type { AnalysedModel, PlannedLayer } from '../runtime/index.ts';
import { profileSection } from './profile-section.ts';
import type { Latency, ProfileSection } from './report.ts';

export interface BenchProjection {
  readonly profile: ProfileSection | null;
  /** Null unless every layer's is known. */
  readonly totalMs: Latency | null;
  /** One a planned layer. */
  readonly layersMs: readonly (Latency | null)[];
  readonly diagnostics: readonly Diagnostic[];
}

/** How the network is run. */
export interface BenchedRun {
  readonly source: AnalysedModel;
  readonly layers: readonly PlannedLayer[];
  readonly threads: number;
  readonly exact: boolean;
}

/** Projects what `run` will take; nothing where the profile is of another backend, or of other numbers of threads. */
export function projectBench(run: BenchedRun, chosen: ChosenProfile | null): BenchProjection {
  if (chosen === null) return without(run, []);
  const { profile } = chosen;
  if (profile.backend !== 'builtin') {
    const reason = `it is of ${profile.backend}, and this ran on the built-in runtime`;
    return without(run, [diagnostic('profile-refused', 'warning', null, { path: profile.id, reason })]);
  }
  const fit = fitFor(profile, run.threads);
  if (fit === null) {
    const known = profile.fits.map(({ threads }) => threads);
    return without(run, [
      diagnostic('profile-without-threads', 'info', null, { id: profile.id, threads: run.threads, known }),
    ]);
  }
  const projected = projectModel(run.source, profile, fit, { exact: run.exact });
  const byNodes = new Map(projected.layers.map((layer) => [keyOf(layer), layer]));
  return {
    profile: profileSection(chosen, fit),
    totalMs: projected.isLowerBound ? null : projected.totalMs,
    layersMs: run.layers.map((layer) => (layer.kernel === 'none' ? null : latencyOf(byNodes.get(keyOf(layer))))),
    diagnostics: chosen.diagnostics,
  };
}

/** Layers of the plan and of the projection that compute the same nodes are the same. */
const keyOf = ({ nodes }: Pick<PlannedLayer, 'nodes'>): string => nodes.join();

const latencyOf = (layer: ProjectedLayer | undefined): Latency | null => layer?.latencyMs ?? null;

const without = ({ layers }: BenchedRun, diagnostics: readonly Diagnostic[]): BenchProjection => ({
  profile: null,
  totalMs: null,
  layersMs: layers.map(() => null),
  diagnostics,
});
