/** Runs a model on the built-in runtime and times its layers. */
import { availableParallelism } from 'node:os';
import { pathOf } from '../dsc/layer-path.ts';
import { addExact } from '../ir/exact.ts';
import { countElements } from '../ir/extents.ts';
import type { Node } from '../ir/graph.ts';
import type { ChosenProfile } from '../latency/choose-profile.ts';
import type { CountedLayer } from '../passes/count-layers.ts';
import { analysedModel, createRuntime, type Network, type PlannedLayer, type RuntimeTensor } from '../runtime/index.ts';
import { seededUniform } from '../runtime/random.ts';
import type { Analysis } from './analyse.ts';
import { modelSection, unusedBindings } from './audit-model.ts';
import type { BenchLayer, BenchReport, Speed } from './bench-report.ts';
import { reported } from './diagnostic-messages.ts';
import { projectBench } from './project-bench.ts';
import { type Latency, SCHEMA_VERSION } from './report.ts';
import { algorithmOf } from './saved-products.ts';

export interface BenchOptions {
  /** Default: as many as the profile projects for, if there are as many processors; without a profile the processors, up to 4. */
  readonly threads?: number;
  /** Runs that the medians are over. */
  readonly runs: number;
  /** Only kernels that keep the order of arithmetic: no Winograd, no Strassen. */
  readonly exact?: boolean;
  readonly experimentalWideVectors?: boolean;
}

export interface BenchContext {
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
  /** Hears before each run how many are done, of how many. */
  readonly progress: (done: number, of: number) => void;
  /** What milliseconds are projected with; null for none. */
  readonly profile: ChosenProfile | null;
}

/** What is measured should be what is projected; null where there is nothing to go by. */
function threadsOf(profile: ChosenProfile | null): number | null {
  const threads = profile?.profile.fits[0]?.threads ?? null;
  return threads === null || threads > availableParallelism() ? null : threads;
}

/** The clock and the optimising compiler settle before the first run that counts. */
const WARM_UP_RUNS = 3;
const WARM_UP_MS = 300;

/**
 * Times every layer of the model. Weights that the file does not have are random.
 *
 * @throws {DscAuditError} `cannot-run`, naming every operator that the runtime has no kernel for
 */
export async function benchModel(
  analysis: Analysis,
  options: BenchOptions,
  { now, progress, profile }: BenchContext,
): Promise<BenchReport> {
  const { read, facts, bound, path } = analysis;
  const { runs, exact = false, threads = threadsOf(profile), ...others } = options;
  const runtime = await createRuntime({ ...others, ...(threads === null ? {} : { threads }), now });
  try {
    const source = analysedModel(read.model, facts);
    const network = await runtime.load(source, { exact, fillMissing: 'random' });
    const measuredPeak = await runtime.peakGflops();
    network.run(inputsOf(network));
    const times = await timesOf(network, runs, { now, progress });
    const projection = projectBench({ source, layers: network.layers, threads: runtime.threads, exact }, profile);
    const covered = coveredLayers(analysis.counted.layers, source.nodes, network.layers);
    const timed = network.layers.map((layer, index) => {
      const members = covered[index] ?? [];
      const flops = flopsOf(members);
      const measuredMs = median(times.map((layersMs) => layersMs[index] ?? 0));
      const speed = speedOf(measuredMs, flops, projection.layersMs[index] ?? null);
      return { ...identityOf(layer, source.nodes, members), flops, ...speed };
    });
    const totals = speedOf(median(times.map(sum)), flopsOf(covered.flat()), projection.totalMs);
    // A layer may catch the machine in a better moment than the measurement of the peak did.
    const reached = timed.flatMap(({ kernel, gflops }) => (algorithmOf(kernel) === null ? (gflops ?? []) : []));
    const peakGflops = Math.max(measuredPeak, ...reached);
    const layers = timed.map(
      (layer): BenchLayer => ({
        ...layer,
        // Fewer products run than are counted.
        peakShare: algorithmOf(layer.kernel) === null ? shareOfPeak(layer.gflops, peakGflops) : null,
      }),
    );
    return {
      schemaVersion: SCHEMA_VERSION,
      tool: { name: 'dsc-audit', version: __DSC_AUDIT_VERSION__ },
      model: modelSection(read.model, facts, bound, path),
      runtime: {
        backend: 'builtin',
        variant: runtime.variant,
        threads: runtime.threads,
        exact,
        peakGflops,
        memoryBytes: network.memoryBytes,
      },
      profile: projection.profile,
      runs,
      weights: network.filledConstants.length > 0 ? 'random' : 'file',
      totals: {
        ...totals,
        peakShare: shareOfPeak(totals.gflops, peakGflops),
        withinInterval: shareWithin(layers),
      },
      layers,
      diagnostics: [
        ...read.diagnostics,
        ...bound.diagnostics,
        ...facts.diagnostics,
        ...unusedBindings(analysis),
        ...projection.diagnostics,
      ].map(reported),
    };
  } finally {
    await runtime.close();
  }
}

/** Seeded noise between −1 and 1: zeroes would be faster where they reach a function such as exp. */
function inputsOf({ inputs }: Network): Readonly<Record<string, RuntimeTensor>> {
  return Object.fromEntries(
    inputs.map(({ name, shape }) => {
      const next = seededUniform(name);
      return [name, { shape, data: Float32Array.from({ length: countElements(shape) }, next) }];
    }),
  );
}

/** Milliseconds of each layer in each run. */
async function timesOf(
  network: Network,
  runs: number,
  { now, progress }: Pick<BenchContext, 'now' | 'progress'>,
): Promise<readonly (readonly number[])[]> {
  const start = now();
  for (let run = 0; run < WARM_UP_RUNS || now() - start < WARM_UP_MS; run++) {
    progress(0, runs);
    network.timeLayers();
    await anotherTurn();
  }
  const times: (readonly number[])[] = [];
  for (let run = 0; run < runs; run++) {
    progress(run, runs);
    times.push(network.timeLayers().map(({ latencyMs }) => latencyMs));
    await anotherTurn();
  }
  return times;
}

/** Whatever else the process has to do gets its turn. */
const anotherTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A layer of the audit with its position there. */
interface CoveredLayer {
  readonly index: number;
  readonly layer: CountedLayer;
}

/** The layers of the audit that each layer of the runtime computes, each of them once. */
function coveredLayers(
  counted: readonly CountedLayer[],
  nodes: readonly Node[],
  planned: readonly PlannedLayer[],
): readonly (readonly CoveredLayer[])[] {
  const byNode = new Map(counted.map((layer, index) => [layer.node, { index, layer }]));
  return planned.map((layer) =>
    layer.nodes.flatMap((position) => {
      const node = nodes[position];
      return (node && byNode.get(node)) ?? [];
    }),
  );
}

function identityOf(
  { op, kernel, nodes: [first] }: PlannedLayer,
  nodes: readonly Node[],
  members: readonly CoveredLayer[],
) {
  const node = nodes[first ?? 0];
  return {
    index: members[0]?.index ?? 0,
    indices: members.map(({ index }) => index),
    name: node?.name ?? '',
    scope: node ? pathOf(node).slice(0, -1) : [],
    op,
    kind: members[0]?.layer.kind ?? 'other',
    kernel,
  } as const;
}

/** Null where a figure is not known. */
function flopsOf(members: readonly CoveredLayer[]): number | null {
  let sum = 0;
  for (const { layer } of members) {
    if (layer.flops === null) return null;
    sum = addExact(sum, layer.flops);
  }
  return sum;
}

function speedOf(measuredMs: number, flops: number | null, projectedMs: Latency | null): Omit<Speed, 'peakShare'> {
  const gflops = flops === null || measuredMs === 0 ? null : flops / (measuredMs * 1e6);
  const projectionError = projectedMs === null || measuredMs === 0 ? null : projectedMs.value / measuredMs - 1;
  return { measuredMs, projectedMs, projectionError, gflops };
}

const shareOfPeak = (gflops: number | null, peakGflops: number): number | null =>
  gflops === null ? null : gflops / peakGflops;

function shareWithin(layers: readonly BenchLayer[]): number | null {
  const held = layers.flatMap(({ measuredMs, projectedMs }) =>
    projectedMs === null ? [] : [measuredMs >= projectedMs.low && measuredMs <= projectedMs.high],
  );
  return held.length === 0 ? null : held.filter(Boolean).length / held.length;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? 0;
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? 0)) / 2 : upper;
}
