/** The built-in runtime: convolutional networks on WebAssembly kernels, with nothing to install. */
import { availableParallelism } from 'node:os';
import { DscAuditError } from '../ir/errors.ts';
import { probeKernels } from './capabilities.ts';
import { createExecutor, type Executor } from './execute/executor.ts';
import type { Kernels } from './execute/kernel-module.ts';
import { type InstructionSet, instructionsOf, VARIANTS } from './kernels/variants.ts';
import type { AnalysedModel } from './network/analysed-model.ts';
import { ConstantValues, type FillMissing } from './network/constants.ts';
import { type NetworkPlan, type NetworkTensor, type PlannedLayer, planNetwork } from './network/network.ts';
import { type InputShapes, openModel } from './network/open-model.ts';
import { randomWeights } from './network/random-weights.ts';
import { measurePeak } from './peak.ts';
import { elementsOf } from './plan/tensor.ts';

export interface RuntimeOptions {
  /** Threads of each network, this one among them. Default: the processors there are, up to 4. */
  readonly threads?: number;
  /**
   * Switch V8's experimental wide vectors on, for the whole process. They are used only where they have an effect and
   * compute what the baseline computes. Default: no.
   */
  readonly experimentalWideVectors?: boolean;
  /** Milliseconds of a steady clock. Default: `performance.now`. */
  readonly now?: () => number;
}

export interface LoadOptions extends InputShapes {
  /** No kernels that change the order of arithmetic for speed (Winograd, Strassen). Default: no. */
  readonly exact?: boolean;
  /**
   * Elements for constants whose bytes the file does not have; `random` for seeded ones that neither let activations grow
   * nor vanish. Without it such a model cannot be run.
   */
  readonly fillMissing?: FillMissing | 'random';
}

/** A float32 tensor, row-major. */
export interface RuntimeTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface TensorDescription {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface LayerTime extends PlannedLayer {
  readonly latencyMs: number;
}

export interface Network {
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
  readonly layers: readonly PlannedLayer[];
  /** Bytes of weights, activations and program. */
  readonly memoryBytes: number;
  /** Names of the constants that were filled in because the file does not have their bytes. */
  readonly filledConstants: readonly string[];
  /**
   * Runs the network once, on the calling thread and its workers, and gives the outputs by name. Throws `wrong-input`,
   * naming it, where an input is missing or has another shape or type.
   */
  run(inputs: Readonly<Record<string, RuntimeTensor>>): Readonly<Record<string, RuntimeTensor>>;
  /** Runs on the inputs of the last `run`, or on zeroes, and gives the milliseconds of each layer. */
  timeLayers(): readonly LayerTime[];
  /** Runs on the inputs of the last `run`, or on zeroes, and gives the milliseconds of the whole. */
  time(): number;
  /** Ends the workers and gives the memory back. The network cannot be run after that. */
  close(): Promise<void>;
}

export interface Runtime {
  readonly variant: InstructionSet;
  readonly threads: number;
  /**
   * Plans a model and takes its memory. Throws `cannot-run`, naming every operator that has no kernel, and for a file
   * that is none, or whose inputs are open, what the audit throws.
   *
   * @param model the path of a model file, its bytes, or a model whose shapes are known (its inputs are settled already)
   */
  load(model: string | Uint8Array | AnalysedModel, options?: LoadOptions): Promise<Network>;
  /**
   * The most that these threads compute, in GFLOP/s: the matrix kernel on operands in the second-level cache, the fastest
   * of several runs. Takes about a tenth of a second.
   */
  peakGflops(): Promise<number>;
  /** Closes every network that is still open. May be called again. */
  close(): Promise<void>;
}

const MAX_DEFAULT_THREADS = 4;

/** Each takes memory, and a stack of its own. */
const MAX_THREADS = 256;

/** Finds out what the engine can do, and gives a runtime on the fastest kernels that it runs correctly. */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const threads = options.threads ?? Math.min(MAX_DEFAULT_THREADS, availableParallelism());
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    const range = `a whole number from 1 to ${MAX_THREADS}`;
    throw new DscAuditError('invalid-option', `The number of threads must be ${range}, not ${threads}.`);
  }
  const now = options.now ?? (() => performance.now());
  const kernels = probeKernels({ experimentalWideVectors: options.experimentalWideVectors ?? false, now });
  const open = new Set<Network>();
  let closed = false;
  return {
    variant: instructionsOf(kernels.variant),
    threads,
    load: async (model, loadOptions = {}) => {
      if (closed) throw new Error('The runtime is closed.');
      const network = await loadModel({ kernels, threads, now }, model, loadOptions);
      const close = async (): Promise<void> => {
        open.delete(tracked);
        await network.close();
      };
      const tracked = { ...network, close };
      open.add(tracked);
      // Closed while the workers were starting.
      if (closed) await close();
      return tracked;
    },
    peakGflops: () => measurePeak(kernels, threads, now),
    close: async () => {
      closed = true;
      await Promise.all([...open].map((network) => network.close()));
    },
  };
}

interface Engine {
  readonly kernels: Kernels;
  readonly threads: number;
  readonly now: () => number;
}

async function loadModel(
  engine: Engine,
  model: string | Uint8Array | AnalysedModel,
  options: LoadOptions,
): Promise<Network> {
  if (typeof model !== 'string' && !(model instanceof Uint8Array)) return loadNetwork(engine, model, options);
  const opened = await openModel(model, options);
  try {
    return await loadNetwork(engine, opened.model, options);
  } finally {
    opened.close();
  }
}

async function loadNetwork(
  { kernels, threads, now }: Engine,
  model: AnalysedModel,
  { exact = false, fillMissing }: LoadOptions,
): Promise<Network> {
  const fill = fillMissing === 'random' ? randomWeights(model) : (fillMissing ?? null);
  const constants = new ConstantValues(model, fill);
  const plan = planNetwork(model, constants, { variant: VARIANTS[kernels.variant], threads, exact });
  const kept = new Set([...plan.inputs, ...plan.outputs].map(({ tensor }) => tensor.place.buffer));
  const executor = await createExecutor(kernels.module, plan.program, kept, threads);
  return {
    ...describePlan(plan),
    memoryBytes: executor.memoryBytes,
    filledConstants: [...constants.missing],
    run: (inputs) => {
      writeInputs(executor, plan, inputs);
      executor.run();
      return readOutputs(executor, plan);
    },
    timeLayers: () => {
      const times = executor.run(now);
      return plan.layers.map((layer, index) => ({ ...layer, latencyMs: times[index] ?? 0 }));
    },
    time: () => {
      const start = now();
      executor.run();
      return now() - start;
    },
    close: () => executor.close(),
  };
}

function describePlan({ inputs, outputs, layers }: NetworkPlan) {
  const describe = ({ name, tensor }: NetworkTensor): TensorDescription => ({ name, shape: tensor.shape });
  return { inputs: inputs.map(describe), outputs: outputs.map(describe), layers };
}

function writeInputs(
  executor: Executor,
  { inputs }: NetworkPlan,
  given: Readonly<Record<string, RuntimeTensor>>,
): void {
  const names = inputs.map(({ name }) => name);
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) throw wrongInput(`There is no input '${name}'; the inputs are ${names.join(', ')}.`);
  }
  for (const { name, tensor } of inputs) {
    const input = given[name];
    const wanted = `float32 ${shapeText(tensor.shape)}`;
    if (input === undefined) throw wrongInput(`The input '${name}' (${wanted}) is missing.`);
    const fault = faultOf(input, tensor.shape);
    if (fault !== null) throw wrongInput(`The input '${name}' must be ${wanted}, not ${fault}.`);
  }
  for (const { name, tensor } of inputs) {
    const { data } = given[name] ?? { data: new Float32Array(0) };
    executor.floats(tensor.place, data.length).set(data);
  }
}

const wrongInput = (message: string): DscAuditError => new DscAuditError('wrong-input', message);

const shapeText = (shape: readonly number[]): string => (shape.length === 0 ? 'scalar' : shape.join('x'));

/** What is given instead of a float32 tensor of that shape; null where it is one. Plain JavaScript hands in what it likes. */
function faultOf(input: unknown, wanted: readonly number[]): string | null {
  if (typeof input !== 'object' || input === null || !('shape' in input) || !('data' in input)) {
    return `${input === null ? 'null' : typeof input}: it needs a shape and data`;
  }
  const { shape, data } = input;
  if (!Array.isArray(shape)) return 'a tensor without a shape';
  if (!(data instanceof Float32Array)) return `${nameOf(data)} data: it needs a Float32Array`;
  const isRight = shape.length === wanted.length && wanted.every((extent, axis) => extent === shape[axis]);
  if (!isRight) return shapeText(shape);
  return data.length === elementsOf(wanted) ? null : `${shapeText(shape)} with ${data.length} elements`;
}

const nameOf = (value: unknown): string =>
  typeof value === 'object' && value !== null ? value.constructor.name : typeof value;

function readOutputs(executor: Executor, { outputs }: NetworkPlan): Readonly<Record<string, RuntimeTensor>> {
  return Object.fromEntries(
    outputs.map(({ name, tensor }) => [
      name,
      { shape: tensor.shape, data: executor.floats(tensor.place, elementsOf(tensor.shape)).slice() },
    ]),
  );
}
