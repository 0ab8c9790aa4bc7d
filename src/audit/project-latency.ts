/** The milliseconds of an audit: of each layer, of the model, and of what each candidate would become. */
import type { Replaced } from '../dsc/assess.ts';
import { type ReplacedConv, replaceInAnalysed } from '../dsc/replace-in-model.ts';
import { replacementShape } from '../dsc/replacement.ts';
import { depthwiseSeparable } from '../dsc/strategies/depthwise-separable.ts';
import { type Diagnostic, diagnostic } from '../ir/diagnostic.ts';
import { DscAuditError } from '../ir/errors.ts';
import type { Node } from '../ir/graph.ts';
import type { ChosenProfile } from '../latency/choose-profile.ts';
import { type ModelProjection, projectModel } from '../latency/project.ts';
import { type AnalysedModel, analysedModel } from '../runtime/network/analysed-model.ts';
import type { Analysis } from './analyse.ts';
import { type LatencyFigures, type LatencyProjector, withoutLatency } from './latency-figures.ts';
import { profileSection } from './profile-section.ts';
import type { Latency } from './report.ts';

/** Replacements of strategies other than the first are not planned: their latency is not known. */
export const latencyProjector =
  (chosen: ChosenProfile): LatencyProjector =>
  (analysis, candidates, strategy) => {
    try {
      return projectWith(chosen, analysis, strategy === depthwiseSeparable ? candidates : [], candidates);
    } catch (error) {
      if (!(error instanceof DscAuditError)) throw error;
      const told = diagnostic('latency-unknown', 'warning', null, { op: 'this model', reason: error.message });
      return { ...withoutLatency(analysis, candidates), diagnostics: [told] };
    }
  };

function projectWith(
  chosen: ChosenProfile,
  { read, facts, counted: { layers } }: Analysis,
  planned: readonly Replaced[],
  candidates: readonly Replaced[],
): LatencyFigures {
  const source = analysedModel(read.model, facts);
  const positions = new Map<Node, number>(source.nodes.map((node, position) => [node, position]));
  const positionOf = (index: number): number => {
    const node = layers[index]?.node;
    return (node && positions.get(node)) ?? -1;
  };
  const [fit] = chosen.profile.fits;
  const now = projectModel(source, chosen.profile, fit);
  const project = replacedProjection(source, chosen);
  const all = project(planned.flatMap(shapeOf));
  const figures = new Map(
    candidates.map(({ layer: { index, node } }) => {
      const after = planned.length === 0 ? null : all.latencyOf(node);
      return [index, { before: now.nodes.get(positionOf(index)) ?? null, after }];
    }),
  );
  const recommended = candidates.filter(({ layer }) => !isSlower(figures.get(layer.index)));
  const plan =
    planned.length === 0 || recommended.length === candidates.length ? all : project(recommended.flatMap(shapeOf));
  return {
    profile: fit === undefined ? null : profileSection(chosen, fit),
    totalMs: now.totalMs,
    isLowerBound: now.isLowerBound,
    layers: layers.map(({ parts }) => sumOf(parts.map(({ node }) => now.nodes.get(positions.get(node) ?? -1) ?? null))),
    candidates: figures,
    recommended: new Set(recommended.map(({ layer }) => layer.index)),
    afterMs: planned.length === candidates.length ? plan.projection.totalMs : null,
    diagnostics: [...chosen.diagnostics, ...unknownLatencies(now), ...notMeasured(now), ...extrapolated(now)],
  };
}

/** What is not known is no reason against. */
const isSlower = (figures: { before: Latency | null; after: Latency | null } | undefined): boolean =>
  figures?.before != null && figures.after !== null && figures.after.value >= figures.before.value;

const PLAIN = { rank: 1, between: 'none', bias: false } as const;

const shapeOf = ({ layer }: Replaced): ReplacedConv | readonly ReplacedConv[] =>
  replacementShape(layer, depthwiseSeparable, PLAIN) ?? [];

/** Projections with some convolutions replaced. */
export function replacedProjection(source: AnalysedModel, { profile }: Pick<ChosenProfile, 'profile'>) {
  return (replacements: readonly ReplacedConv[]) => {
    const { model, replacing } = replaceInAnalysed(source, replacements);
    const projection = projectModel(model, profile);
    const positions = new Map<Node, number>(model.nodes.map((node, position) => [node, position]));
    /** Of all nodes that took a convolution's place. */
    const latencyOf = (node: Node): Latency | null => {
      const made = replacing.get(node);
      return made ? sumOf(made.nodes.map((part) => projection.nodes.get(positions.get(part) ?? -1) ?? null)) : null;
    };
    return { projection, latencyOf };
  };
}

/** Null where one of them is not known. */
const sumOf = (latencies: readonly (Latency | null)[]): Latency | null =>
  latencies.reduce((sum, latency) => (sum && latency ? addLatencies(sum, latency) : null), NOTHING_YET);

const NOTHING_YET: Latency | null = { value: 0, low: 0, high: 0 };

const addLatencies = (a: Latency, b: Latency): Latency => ({
  value: a.value + b.value,
  low: a.low + b.low,
  high: a.high + b.high,
});

const unknownLatencies = ({ unrunnable }: ModelProjection): readonly Diagnostic[] =>
  unrunnable.map(({ node, reason }) => diagnostic('latency-unknown', 'warning', node.name, { op: node.op, reason }));

/** What the runtime runs, and the profile knows no cost of. */
function notMeasured({ layers, unrunnable }: ModelProjection): readonly Diagnostic[] {
  const told = new Set(unrunnable.map(({ node }) => node.name));
  const names = layers.filter(({ latencyMs, name }) => latencyMs === null && !told.has(name)).map(({ name }) => name);
  return names.length === 0 ? [] : [diagnostic('latency-not-measured', 'info', null, { layers: names.length, names })];
}

function extrapolated({ layers, totalMs }: ModelProjection): readonly Diagnostic[] {
  const names = layers
    .filter(({ isExtrapolated, latencyMs }) => isExtrapolated && (latencyMs?.value ?? 0) > (totalMs?.value ?? 0) / 100)
    .map(({ name }) => name);
  return names.length === 0 ? [] : [diagnostic('latency-extrapolated', 'info', null, { layers: names.length, names })];
}
