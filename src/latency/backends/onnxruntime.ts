/** ONNX Runtime, native (onnxruntime-node) or as WebAssembly (onnxruntime-web): packages of the user's own, loaded when asked for. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DscAuditError } from '../../ir/errors.ts';
import type { Node } from '../../ir/graph.ts';
import type { AnalysedModel } from '../../runtime/network/analysed-model.ts';
import type { StepWork } from '../program-work.ts';
import type { Backend, OpenBackend, PlannedWork, TimedNetwork } from './backend.ts';
import { extentsOf, layerWork } from './layer-work.ts';

/** What is used of the packages, which have the same interface. */
interface OrtModule {
  readonly env: { readonly wasm: { numThreads?: number }; readonly versions: { readonly common: string } };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => unknown;
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<OrtSession>;
  };
}

interface OrtSession {
  readonly inputNames: readonly string[];
  run(feeds: Readonly<Record<string, unknown>>): Promise<unknown>;
  release(): Promise<void>;
}

interface Package {
  readonly name: string;
  readonly module: string;
  readonly provider: string;
}

/** Copies of the layer in the longer of the two models whose difference is timed. */
const COPIES = 9;

export function onnxruntime({ name, module, provider }: Package): Backend {
  return {
    name,
    // Every kind of layer twice is the fewest.
    effort: { networks: { full: 380, quick: 114 }, fewest: 38, turns: 1 },
    sweep: async (seed, count) => (await layers()).layerSweep(seed, count),
    reference: async () => (await layers()).referenceLayer(),
    open: async (now) => openPackage(await importPackage(module, name), provider, now),
    plan: (model) => planLayers(model),
  };
}

/** Only calibrations need them. */
const layers = () => import('./layer-sweep.ts');

/** From the user's folder first: that is where a project has its packages. */
async function importPackage(module: string, name: string): Promise<OrtModule> {
  for (const from of [join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      const path = createRequire(from).resolve(module);
      const { default: inner, ...outer } = await import(pathToFileURL(path).href);
      return inner?.InferenceSession ? inner : outer;
    } catch {
      // Not there: the next place.
    }
  }
  throw new DscAuditError(
    'backend-missing',
    `The backend '${name}' needs the package ${module}: npm install ${module}.`,
  );
}

function openPackage(ort: OrtModule, provider: string, now: () => number): OpenBackend {
  const session = async (model: Uint8Array, threads: number, shape: readonly number[]) => {
    ort.env.wasm.numThreads = threads;
    const options = { executionProviders: [provider], intraOpNumThreads: threads, interOpNumThreads: 1 };
    const loaded = await ort.InferenceSession.create(model, options);
    const length = shape.reduce((product, extent) => product * extent, 1);
    const data = new Float32Array(length);
    for (let index = 0; index < length; index++) data[index] = 2 * ((index * 0.618033988749895) % 1) - 1;
    const feeds = Object.fromEntries(loaded.inputNames.map((input) => [input, new ort.Tensor('float32', data, shape)]));
    return { run: () => loaded.run(feeds), close: () => loaded.release() };
  };
  const load = async (model: AnalysedModel, threads: number): Promise<TimedNetwork> => {
    const { repeatedModel } = await import('./onnx-layer.ts');
    const shape = extentsOf(model, model.model.graph.inputs[0] ?? null) ?? [];
    const [single, repeated] = [
      await session(repeatedModel(model, 1), threads, shape),
      await session(repeatedModel(model, COPIES), threads, shape),
    ];
    const timeOf = async ({ run }: typeof single): Promise<number> => {
      const start = now();
      await run();
      return now() - start;
    };
    // What one more of the layer takes: copies in and out, and the call itself, cancel out.
    const timeOneMore = async (): Promise<number> => {
      let [one, many] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      for (let turn = 0; turn < TURNS; turn++) {
        one = Math.min(one, await timeOf(single));
        many = Math.min(many, await timeOf(repeated));
      }
      return (many - one) / (COPIES - 1);
    };
    return {
      ...planLayers(model),
      steps: [joinedStep(model)],
      time: async () => [await timeOneMore()],
      close: async () => {
        await single.close();
        await repeated.close();
      },
    };
  };
  const layerMs = async (model: AnalysedModel, threads: number): Promise<number> => {
    const network = await load(model, threads);
    try {
      const [latencyMs = Number.NaN] = await network.time();
      return latencyMs;
    } finally {
      await network.close();
    }
  };
  return {
    variant: null,
    version: ort.env.versions.common,
    load,
    roofline: async (threads) => {
      const { computeBoundLayer, memoryBoundLayer } = await layers();
      const [{ flops, model: computing }, { bytes, model: moving }] = [computeBoundLayer(), memoryBoundLayer()];
      const [computingMs, movingMs] = [await layerMs(computing, threads), await layerMs(moving, threads)];
      // A difference of two times, which a disturbance may have turned around.
      if (!(computingMs > 0 && movingMs > 0)) return null;
      return { flopsPerSecond: (1000 * flops) / computingMs, bytesPerSecond: (1000 * bytes) / movingMs };
    },
  };
}

/** The shortest of so many turns is what nothing disturbed. */
const TURNS = 5;

/** All nodes of a layer of the sweep as one: they are of one group, and timed together. */
function joinedStep(model: AnalysedModel): StepWork {
  const works = model.nodes.flatMap((node) => layerWork(model, node) ?? []);
  const terms: Record<string, number> = {};
  for (const work of works) {
    for (const [term, amount] of Object.entries(work.terms)) terms[term] = (terms[term] ?? 0) + amount;
  }
  return { group: works[0]?.group ?? '', terms, layer: 0 };
}

/** Operators that change nothing but names and shapes. */
const FREE: ReadonlySet<Node['kind']> = new Set(['reshape', 'flatten', 'squeeze', 'unsqueeze', 'identity', 'dropout']);

/** Functions that ONNX Runtime computes with the convolution before them. */
const FUSED: ReadonlySet<string> = new Set(['relu', 'relu6', 'leakyRelu', 'sigmoid', 'tanh', 'hardSigmoid']);

/** Every node a layer of its own, but what is folded into the convolution before it. */
function planLayers(model: AnalysedModel): PlannedWork {
  const readers = new Map<number, number[]>();
  for (const [index, node] of model.nodes.entries()) {
    for (const id of new Set(node.inputs)) if (id !== null) readers.set(id, [...(readers.get(id) ?? []), index]);
  }
  const taken = new Set<number>();
  const layers: { name: string; op: string; nodes: number[]; kernel: string }[] = [];
  const steps: StepWork[] = [];
  for (const [index, node] of model.nodes.entries()) {
    if (taken.has(index)) continue;
    const nodes = [index];
    for (let next = follower(model, nodes, readers); next !== null; next = follower(model, nodes, readers)) {
      nodes.push(next);
      taken.add(next);
    }
    const work = FREE.has(node.kind) ? null : layerWork(model, node);
    if (work) steps.push({ ...work, layer: layers.length });
    else if (!FREE.has(node.kind))
      steps.push({ group: `${node.op} of unknown shape`, terms: {}, layer: layers.length });
    layers.push({ name: node.name, op: node.op, nodes, kernel: work?.group ?? 'none' });
  }
  return { layers, steps, unrunnable: [] };
}

/** The node that is folded into those before it; null where there is none. */
function follower(
  model: AnalysedModel,
  nodes: readonly number[],
  readers: ReadonlyMap<number, readonly number[]>,
): number | null {
  const first = model.nodes[nodes[0] ?? -1];
  const last = model.nodes[nodes.at(-1) ?? -1];
  const output = last?.outputs[0] ?? null;
  if (first?.kind !== 'conv' || output === null || last?.kind === 'unary' || last?.kind === 'clip') return null;
  const [next, ...others] = readers.get(output) ?? [];
  const node = next === undefined ? undefined : model.nodes[next];
  if (next === undefined || others.length > 0 || node === undefined) return null;
  const isFused =
    node.kind === 'batchNorm' || node.kind === 'clip' || (node.kind === 'unary' && FUSED.has(node.attrs.fn));
  return isFused ? next : null;
}
