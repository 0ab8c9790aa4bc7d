/** Times networks on the built-in runtime, as they are and with their convolutions replaced, and compares with the projection. */
import { existsSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Analysis, analyseSource } from '../../src/audit/analyse.ts';
import { auditModel } from '../../src/audit/audit-model.ts';
import { latencyProjector } from '../../src/audit/project-latency.ts';
import { convLayers } from '../../src/dsc/conv-layers.ts';
import { projectedModel } from '../../src/dsc/projected-model.ts';
import { separableReplacements } from '../../src/dsc/separable-replacements.ts';
import { depthwiseSeparable } from '../../src/dsc/strategies/depthwise-separable.ts';
import { modelFile } from '../../src/formats/model-source.ts';
import type { Constant } from '../../src/ir/graph.ts';
import { type ChosenProfile, chooseProfile } from '../../src/latency/choose-profile.ts';
import { thisMachine } from '../../src/latency/machine.ts';
import type { ThreadFit } from '../../src/latency/profile.ts';
import { type ModelProjection, projectModel } from '../../src/latency/project.ts';
import { type SteadyWatch, steadyWatch } from '../../src/latency/steady.ts';
import { referenceNetwork } from '../../src/latency/sweep.ts';
import {
  type AnalysedModel,
  analysedModel,
  createRuntime,
  type Network,
  type Runtime,
} from '../../src/runtime/index.ts';
import { type Outcome, validationPage } from './validation-page.ts';

/** None of them is in a sweep. */
const NETWORKS = [
  'vgg11',
  'resnet18',
  'resnet34',
  'resnet50',
  'mobilenet_v1_1.0_224',
  'mobilenet_v2',
  'mobilenet_v3_small',
  'mobilenet_v3_large',
  'squeezenet1_1',
  'densenet121',
  'efficientnet_b0',
  'efficientnet_v2_s',
  'shufflenet_v2_x1_0_dynbhw',
  'googlenet_aux',
  'conv_mobilenet_1.0_224',
  'mnasnet1_0',
] as const;

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

/** Prints a page of tables, one for each number of threads of the profile; `print` hears how far it is, too. */
export async function main(
  args: readonly string[],
  print: (line: string) => void,
  progress: (line: string) => void,
): Promise<void> {
  const { values: options } = parseArgs({
    args: [...args],
    options: {
      profile: { type: 'string' },
      threads: { type: 'string' },
      seconds: { type: 'string', default: '180' },
      models: { type: 'string', default: 'fixtures/onnx' },
      only: { type: 'string', default: '' },
      output: { type: 'string', short: 'o' },
    },
  });
  const machine = thisMachine();
  const chosen = await chooseProfile(options.profile ?? null, machine, {
    env: process.env,
    platform: machine.platform,
  });
  if (chosen === null) throw new Error('A validation needs a profile.');
  const asked = options.threads?.split(',').map(Number) ?? chosen.profile.fits.map(({ threads }) => threads);
  const fits = chosen.profile.fits.filter(({ threads }) => asked.includes(threads));
  if (fits.length < asked.length) throw new Error(`The profile has no fit for one of ${asked.join(', ')} threads.`);
  const only = options.only.split(',');
  const paths = NETWORKS.filter((name) => only.some((part) => name.includes(part)))
    .map((name) => join(options.models, `${name}.onnx`))
    .filter((path) => existsSync(path));
  const budgetMs = (Number(options.seconds) * 1000) / fits.length;
  const analyses: Analysis[] = [];
  const results: { readonly fit: ThreadFit; readonly outcomes: readonly Outcome[] }[] = [];
  try {
    for (const path of paths) {
      analyses.push(await analyseSource(modelFile(path), { dims: { height: 224, width: 224 } }));
    }
    for (const fit of fits) {
      const cases = analyses.map((analysis, index) =>
        caseOf(analysis, basename(paths[index] ?? '', '.onnx'), chosen, fit),
      );
      const timed = await timeAll(cases, fit.threads, budgetMs, progress);
      const outcomes = cases.flatMap((subject, index) => {
        const runs = timed[index];
        return runs ? [outcomeOf(subject, runs)] : [];
      });
      results.push({ fit, outcomes });
    }
  } finally {
    for (const { read } of analyses) read.close();
  }
  const page = validationPage(chosen, machine, new Date(), results);
  if (options.output) writeFileSync(options.output, page);
  print(page);
}

/** The network, and what it becomes with every recommended candidate replaced, planned for so many threads. */
function caseOf(analysis: Analysis, name: string, chosen: ChosenProfile, fit: ThreadFit): Case {
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
    return conv ? separableReplacements(conv, depthwiseSeparable, { rank: 1, between: 'none' }) : [];
  });
  const subject = (model: AnalysedModel): Subject => ({
    name,
    source: model,
    projection: projectModel(model, chosen.profile, fit),
  });
  if (replacements.length === 0) return { before: subject(source), after: null };
  const { model, facts } = projectedModel(analysis.read.model, analysis.facts, replacements);
  return { before: subject(source), after: subject(analysedModel(model, facts)) };
}

const now = (): number => performance.now();

/** Turns of so many runs each time that a network is loaded, and times that it is loaded at most. */
const TURNS = 4;
const RUNS = 3;
const MAX_PASSES = 6;

/** Milliseconds of each layer, by run. */
type Runs = readonly (readonly number[])[];

interface Timed {
  readonly before: Runs;
  readonly after: Runs;
}

/** Pass after pass over all networks, the first whatever it takes, so that a slow phase takes no network's every run. */
async function timeAll(
  cases: readonly Case[],
  threads: number,
  budgetMs: number,
  progress: (line: string) => void,
): Promise<readonly Timed[]> {
  const runtime = await createRuntime({ threads });
  try {
    const watch = await referenceWatch(runtime);
    const timed: Timed[] = cases.map(() => ({ before: [], after: [] }));
    const start = now();
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      for (const [index, { before, after }] of cases.entries()) {
        if (pass > 0 && now() - start > budgetMs) return timed;
        const known = timed[index] ?? { before: [], after: [] };
        timed[index] = {
          before: [...known.before, ...(await timeNetwork(runtime, before, watch))],
          after: after === null ? [] : [...known.after, ...(await timeNetwork(runtime, after, watch))],
        };
        progress(`${before.name}, ${threads} threads, pass ${pass + 1}: ${((now() - start) / 1000).toFixed(0)} s`);
      }
    }
    return timed;
  } finally {
    await runtime.close();
  }
}

async function timeNetwork(runtime: Runtime, { source }: Subject, watch: SteadyWatch): Promise<Runs> {
  const network = await runtime.load(source, { fillMissing: filled });
  const runs: (readonly number[])[] = [];
  try {
    network.run(inputsOf(network));
    for (let turn = 0; turn < TURNS; turn++) {
      await watch.settle();
      // The first run brings the caches into the state that a run of this network leaves.
      network.time();
      for (let run = 0; run < RUNS; run++) runs.push(network.timeLayers().map(({ latencyMs }) => latencyMs));
    }
    return runs;
  } finally {
    await network.close();
  }
}

/**
 * What each layer takes where nothing disturbs: a tenth of its times were shorter. On a shared machine hardly a run of a whole
 * network is undisturbed, but each of its layers is in some of them.
 */
const layersMs = (runs: Runs): readonly number[] =>
  (runs[0] ?? []).map((_, layer) => {
    const times = runs.flatMap((run) => run[layer] ?? []).sort((a, b) => a - b);
    return times[Math.floor(times.length / 10)] ?? Number.NaN;
  });

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

function outcomeOf({ before, after }: Case, timed: Timed): Outcome {
  const byLayer = layersMs(timed.before);
  const compared = before.projection.layers.flatMap(({ latencyMs }, layer) => {
    const layerMs = byLayer[layer] ?? 0;
    return latencyMs === null || layerMs < 0.02 ? [] : [{ layerMs, latencyMs }];
  });
  return {
    name: before.name,
    measuredMs: sumOf(byLayer),
    projected: before.projection,
    layersHeld:
      compared.filter(({ layerMs, latencyMs }) => layerMs >= latencyMs.low && layerMs <= latencyMs.high).length /
      Math.max(1, compared.length),
    layerErrors: compared.map(({ layerMs, latencyMs }) => latencyMs.value / layerMs - 1),
    after: after && { measuredMs: sumOf(layersMs(timed.after)), projected: after.projection },
  };
}

async function referenceWatch(runtime: Runtime): Promise<SteadyWatch> {
  const loaded = await runtime.load(referenceNetwork());
  const watch = steadyWatch(() => {
    loaded.time();
  }, now);
  for (let turn = 0; turn < 100; turn++) await watch.time();
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
