/** Times networks on the built-in runtime, as they are and with their convolutions replaced, and compares with the projection. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { analyseSource } from '../../src/audit/analyse.ts';
import { auditModel } from '../../src/audit/audit-model.ts';
import { latencyProjector } from '../../src/audit/project-latency.ts';
import { convLayers } from '../../src/dsc/conv-layers.ts';
import { projectedModel } from '../../src/dsc/projected-model.ts';
import { separableReplacement } from '../../src/dsc/separable-replacement.ts';
import { depthwiseSeparable } from '../../src/dsc/strategies/depthwise-separable.ts';
import { modelFile } from '../../src/formats/model-source.ts';
import type { Constant } from '../../src/ir/graph.ts';
import { chooseProfile } from '../../src/latency/choose-profile.ts';
import { machineText, thisMachine } from '../../src/latency/machine.ts';
import { fitFor, type ModelProjection, projectModel } from '../../src/latency/project.ts';
import { median, type SteadyWatch, steadyWatch, undisturbed } from '../../src/latency/steady.ts';
import { SweepNetwork } from '../../src/latency/sweep-network.ts';
import { type AnalysedModel, analysedModel, createRuntime, type Network } from '../../src/runtime/index.ts';

/** None of them is in a sweep. */
const NETWORKS = [
  'vgg11',
  'resnet18',
  'resnet50',
  'mobilenet_v1_1.0_224',
  'mobilenet_v2',
  'mobilenet_v3_small',
  'mobilenet_v3_large',
  'squeezenet1_1',
  'densenet121',
  'efficientnet_b0',
  'shufflenet_v2_x1_0_dynbhw',
  'googlenet_aux',
  'alexnet',
  'vgg16',
  'conv_mobilenet_1.0_224',
  'mnasnet1_0',
  'resnext50_32x4d',
  'regnet_y_400mf',
];

interface Subject {
  readonly name: string;
  readonly source: AnalysedModel;
  readonly projection: ModelProjection;
}

/** A network as it is, and as its plan of DSCs would be; null where nothing would be replaced. */
interface Case {
  readonly before: Subject;
  readonly after: Subject | null;
}

export async function validate(args: readonly string[], print: (line: string) => void): Promise<void> {
  const { values: options } = parseArgs({
    args: [...args],
    options: {
      profile: { type: 'string' },
      threads: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '200' },
      models: { type: 'string', default: 'fixtures/onnx' },
      only: { type: 'string', default: '' },
    },
  });
  const machine = thisMachine();
  const chosen = await chooseProfile(options.profile ?? null, machine, {
    env: process.env,
    platform: machine.platform,
  });
  if (chosen === null) throw new Error('A validation needs a profile.');
  const threads = Number(options.threads);
  const fit = fitFor(chosen.profile, threads);
  if (fit === null) throw new Error(`The profile has no fit for ${threads} threads.`);
  const only = options.only.split(',');
  const paths = NETWORKS.filter((name) => only.some((part) => name.includes(part)))
    .map((name) => ({ name, path: join(options.models, `${name}.onnx`) }))
    .filter(({ path }) => existsSync(path));
  print(
    `${machineText(machine)}, Node.js ${machine.node}, ${threads} threads, profile ${chosen.profile.id} (${chosen.source})`,
  );
  print(
    'network                 measured  projected   error  in 90 %  layers in 90 %   as DSC: measured  projected   ratio measured  projected   error',
  );
  const outcomes: Outcome[] = [];
  for (const { name, path } of paths) {
    const analysis = await analyseSource(modelFile(path), { dims: { height: 224, width: 224 } });
    try {
      const source = analysedModel(analysis.read.model, analysis.facts);
      const report = auditModel(analysis, {
        patterns: { include: [], exclude: [] },
        strategy: depthwiseSeparable,
        algebra: null,
        projector: latencyProjector(chosen),
        training: false,
        memory: false,
        between: 'none',
      });
      const convs = new Map(convLayers(analysis.counted.layers, analysis.facts).map((conv) => [conv.index, conv]));
      const replacements = report.dsc.candidates.flatMap(({ index, recommended }) => {
        const conv = recommended ? convs.get(index) : undefined;
        return (conv && separableReplacement(conv, depthwiseSeparable, { rank: 1, between: 'none' })) ?? [];
      });
      const projected = projectedModel(analysis.read.model, analysis.facts, replacements);
      const subject = (model: AnalysedModel): Subject => ({
        name,
        source: model,
        projection: projectModel(model, chosen.profile, fit),
      });
      const after = replacements.length === 0 ? null : subject(analysedModel(projected.model, projected.facts));
      const outcome = await measure(
        { before: subject(source), after },
        threads,
        (Number(options.seconds) * 1000) / paths.length,
      );
      outcomes.push(outcome);
      print(lineOf(outcome));
    } finally {
      analysis.read.close();
    }
  }
  print('');
  for (const line of summaryOf(outcomes)) print(line);
}

interface Outcome {
  readonly name: string;
  readonly measuredMs: number;
  readonly projected: ModelProjection;
  /** Share of the layers, of those that take 20 µs or more, that lie within their interval. */
  readonly layersHeld: number;
  readonly layerErrors: readonly number[];
  readonly after: { readonly measuredMs: number; readonly projected: ModelProjection } | null;
}

const now = (): number => performance.now();

/** Rounds in steady moments that a network needs, and rounds after which the machine is given up on. */
const ENOUGH_RUNS = 4;
const MAX_ROUNDS = 80;

async function measure({ before, after }: Case, threads: number, budgetMs: number): Promise<Outcome> {
  const runtime = await createRuntime({ threads });
  try {
    const watch = await referenceWatch(runtime);
    const networks: Network[] = [];
    for (const subject of [before, after]) {
      if (subject) networks.push(await runtime.load(subject.source, { fillMissing: filled }));
    }
    for (const network of networks) network.run(inputsOf(network));
    const times: number[][] = networks.map(() => []);
    const layers: (readonly number[])[] = [];
    const start = now();
    const isEnough = (): boolean => times.every((kept) => kept.length >= ENOUGH_RUNS);
    for (let round = 0; round < MAX_ROUNDS && (!isEnough() || now() - start < budgetMs); round++) {
      for (const [index, network] of networks.entries()) {
        network.time();
        const steady = await watch.isSteady();
        network.time();
        const time = network.time();
        const byLayer = index === 0 ? network.timeLayers().map(({ latencyMs }) => latencyMs) : null;
        if (!(steady && (await watch.isSteady()))) continue;
        times[index]?.push(time);
        if (byLayer) layers.push(byLayer);
      }
    }
    const measured = before.projection.layers.map((_, layer) =>
      undisturbed(layers.map((byLayer) => byLayer[layer] ?? 0)),
    );
    const compared = before.projection.layers.flatMap(({ latencyMs }, layer) => {
      const measuredMs = measured[layer] ?? 0;
      return latencyMs === null || measuredMs < 0.02 ? [] : [{ measuredMs, latencyMs }];
    });
    return {
      name: before.name,
      measuredMs: undisturbed(times[0] ?? []),
      projected: before.projection,
      layersHeld:
        compared.filter(({ measuredMs, latencyMs }) => measuredMs >= latencyMs.low && measuredMs <= latencyMs.high)
          .length / Math.max(1, compared.length),
      layerErrors: compared.map(({ measuredMs, latencyMs }) => latencyMs.value / measuredMs - 1),
      after: after && { measuredMs: undisturbed(times[1] ?? []), projected: after.projection },
    };
  } finally {
    await runtime.close();
  }
}

async function referenceWatch(runtime: Awaited<ReturnType<typeof createRuntime>>): Promise<SteadyWatch> {
  const network = new SweepNetwork();
  const x = network.conv(network.input(64, 28, 28), { outChannels: 128, kernel: [1, 1], stride: 1 });
  network.output(network.conv(x, { outChannels: 128, kernel: [3, 3], stride: 1, groups: 128 }));
  const loaded = await runtime.load(network.analyse());
  const watch = steadyWatch(() => {
    loaded.time();
  }, now);
  for (let turn = 0; turn < 200; turn++) await watch.isSteady();
  return watch;
}

/** Weights that keep the size of what passes through them. */
function filled(_name: string, { shape }: Constant): Float32Array {
  const count = shape.reduce((product, extent) => product * extent, 1);
  if (shape.length < 2) return new Float32Array(count).fill(1);
  const scale = Math.sqrt((6 * (shape[0] ?? 1)) / count);
  return Float32Array.from({ length: count }, (_, index) => (2 * ((index * 0.618033988749895) % 1) - 1) * scale);
}

function inputsOf({ inputs }: Network) {
  return Object.fromEntries(
    inputs.map(({ name, shape }) => {
      const length = shape.reduce((product, extent) => product * extent, 1);
      return [
        name,
        { shape, data: Float32Array.from({ length }, (_, index) => 2 * ((index * 0.618033988749895) % 1) - 1) },
      ];
    }),
  );
}

const totalOf = ({ totalMs }: ModelProjection): number => totalMs?.value ?? Number.NaN;

const signed = (share: number): string => `${share < 0 ? '−' : '+'}${(100 * Math.abs(share)).toFixed(1)} %`;

function lineOf({ name, measuredMs, projected, layersHeld, after }: Outcome): string {
  const total = totalOf(projected);
  const held =
    projected.totalMs !== null && measuredMs >= projected.totalMs.low && measuredMs <= projected.totalMs.high;
  const first = [
    name.padEnd(24),
    `${measuredMs.toFixed(2)}`.padStart(7),
    `${total.toFixed(2)}${projected.isLowerBound ? '+' : ' '}`.padStart(10),
    signed(total / measuredMs - 1).padStart(9),
    (held ? 'yes' : 'no').padStart(6),
    `${(100 * layersHeld).toFixed(0)} %`.padStart(12),
  ];
  if (after === null) return first.join(' ');
  const afterMs = totalOf(after.projected);
  const [measuredRatio, projectedRatio] = [measuredMs / after.measuredMs, total / afterMs];
  return [
    ...first,
    after.measuredMs.toFixed(2).padStart(20),
    afterMs.toFixed(2).padStart(10),
    measuredRatio.toFixed(2).padStart(14),
    projectedRatio.toFixed(2).padStart(11),
    signed(projectedRatio / measuredRatio - 1).padStart(10),
  ].join(' ');
}

function summaryOf(outcomes: readonly Outcome[]): readonly string[] {
  const totals = outcomes.map(({ projected, measuredMs }) => Math.abs(totalOf(projected) / measuredMs - 1));
  const layers = outcomes.flatMap(({ layerErrors }) => layerErrors.map(Math.abs));
  const ratios = outcomes.flatMap(({ measuredMs, projected, after }) =>
    after ? [Math.abs(totalOf(projected) / totalOf(after.projected) / (measuredMs / after.measuredMs) - 1)] : [],
  );
  const within = (errors: readonly number[], limit: number): string =>
    `${errors.filter((error) => error <= limit).length} of ${errors.length}`;
  return [
    `networks: ${within(totals, 0.1)} within ±10 %, ${within(totals, 0.05)} within ±5 %`,
    `layers of 20 µs and more: median error ${(100 * median(layers)).toFixed(1)} %, ${within(layers, 0.1)} within ±10 %`,
    `ratio before to after: ${within(ratios, 0.1)} within ±10 %`,
  ];
}
