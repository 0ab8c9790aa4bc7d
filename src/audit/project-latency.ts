/** The milliseconds of an audit: of each layer, of the model, and of what it would become. */
import { type Diagnostic, diagnostic } from '../ir/diagnostic.ts';
import { DscAuditError } from '../ir/errors.ts';
import type { Node } from '../ir/graph.ts';
import type { ChosenProfile } from '../latency/choose-profile.ts';
import { type ModelProjection, projectModel } from '../latency/project.ts';
import { type AnalysedModel, analysedModel } from '../runtime/network/analysed-model.ts';
import type { Analysis } from './analyse.ts';
import {
  type GraphLatency,
  type LatencyFigures,
  type LatencyProjector,
  sumLatencies,
  withoutLatency,
} from './latency-figures.ts';
import { profileSection } from './profile-section.ts';

export const latencyProjector =
  (chosen: ChosenProfile): LatencyProjector =>
  (analysis) => {
    try {
      return projectWith(chosen, analysis);
    } catch (error) {
      if (!(error instanceof DscAuditError)) throw error;
      const told = diagnostic('latency-unknown', 'warning', null, { op: 'this model', reason: error.message });
      return { ...withoutLatency(analysis), diagnostics: [told] };
    }
  };

function projectWith(chosen: ChosenProfile, { read, facts, counted: { layers } }: Analysis): LatencyFigures {
  const [fit] = chosen.profile.fits;
  const source = analysedModel(read.model, facts);
  const now = projectModel(source, chosen.profile, fit);
  const ofGraph = graphLatency(source, now);
  const kernelOf = kernelsOf(source, now);
  return {
    ...ofGraph,
    profile: fit === undefined ? null : profileSection(chosen, fit),
    isLowerBound: now.isLowerBound,
    layers: layers.map(({ parts }) => ofGraph.latencyOf(parts.map(({ node }) => node))),
    kernels: layers.map(({ parts }) => kernelOf(parts.map(({ node }) => node))),
    diagnostics: [...chosen.diagnostics, ...unknownLatencies(now), ...notMeasured(now), ...extrapolated(now)],
    project: (projected) => {
      const model = analysedModel(projected.model, projected.facts);
      try {
        const then = projectModel(model, chosen.profile, fit);
        // A total that lacks what the model's own has is no total to compare it with.
        const isWhole = lackingOf(then) <= lackingOf(now);
        return { ...graphLatency(model, then), ...(isWhole ? {} : { totalMs: null }) };
      } catch (error) {
        if (error instanceof DscAuditError) return null;
        throw error;
      }
    },
  };
}

function graphLatency({ nodes }: AnalysedModel, projection: ModelProjection): GraphLatency {
  const positions = new Map<Node, number>(nodes.map((node, position) => [node, position]));
  return {
    totalMs: projection.totalMs,
    latencyOf: (asked) => sumLatencies(asked.map((node) => projection.nodes.get(positions.get(node) ?? -1) ?? null)),
  };
}

/** The kernel of the first layer that starts at one of some nodes. */
function kernelsOf({ nodes }: AnalysedModel, { layers }: ModelProjection): (asked: readonly Node[]) => string | null {
  const run = layers.filter(({ kernel }) => kernel !== 'none');
  const kernels = new Map(run.map(({ nodes: [first], kernel }) => [nodes[first ?? -1], kernel]));
  return (asked) => asked.map((node) => kernels.get(node)).find((kernel) => kernel !== undefined) ?? null;
}

/** How many layers a total lacks. */
const lackingOf = ({ layers, unrunnable }: ModelProjection): number =>
  unrunnable.length + layers.filter(({ latencyMs }) => latencyMs === null).length;

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
