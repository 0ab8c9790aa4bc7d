/** The built-in runtime: convolutional networks on WebAssembly kernels, with nothing to install. */
import { availableParallelism } from 'node:os';
import { DscAuditError } from '../ir/errors.ts';
import { type Kernels, probeKernels } from './capabilities.ts';
import { createExecutor, type Executor } from './execute/executor.ts';
import { VARIANTS, type VariantName } from './kernels/variants.ts';
import type { AnalysedModel } from './network/analysed-model.ts';
import { ConstantValues, type FillMissing } from './network/constants.ts';
import { type NetworkPlan, type NetworkTensor, type PlannedLayer, planNetwork } from './network/network.ts';
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

export interface LoadOptions {
  /** No kernels that change the order of arithmetic for speed (Winograd). Default: no. */
  readonly exact?: boolean;
  /** Elements for constants whose bytes the file does not have. Without it such a model cannot be run. */
  readonly fillMissing?: FillMissing;
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
  readonly variant: VariantName;
  readonly threads: number;
  /** Plans the model and takes its memory. Throws `cannot-run`, naming every operator that has no kernel. */
  load(model: AnalysedModel, options?: LoadOptions): Promise<Network>;
  /** Closes every network that is still open. */
  close(): Promise<void>;
}

const MAX_DEFAULT_THREADS = 4;

/** Finds out what the engine can do, and gives a runtime on the fastest kernels that it runs correctly. */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const threads = options.threads ?? Math.min(MAX_DEFAULT_THREADS, availableParallelism());
  if (!Number.isInteger(threads) || threads < 1) {
    throw new DscAuditError(
      'invalid-option',
      `The number of threads must be a whole number of at least 1, not ${threads}.`,
    );
  }
  const now = options.now ?? (() => performance.now());
  const kernels = probeKernels({ experimentalWideVectors: options.experimentalWideVectors ?? false, now });
  const open = new Set<Network>();
  return {
    variant: kernels.variant,
    threads,
    load: async (model, loadOptions = {}) => {
      const network = await loadNetwork(kernels, threads, now, model, loadOptions);
      open.add(network);
      return network;
    },
    close: async () => {
      await Promise.all([...open].map((network) => network.close()));
      open.clear();
    },
  };
}

async function loadNetwork(
  kernels: Kernels,
  threads: number,
  now: () => number,
  model: AnalysedModel,
  { exact = false, fillMissing }: LoadOptions,
): Promise<Network> {
  const constants = new ConstantValues(model, fillMissing ?? null);
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
  for (const { name, tensor } of inputs) {
    const input = given[name];
    if (input === undefined) throw new DscAuditError('wrong-input', `The input '${name}' is missing.`);
    assertMatches(name, input, tensor.shape);
    executor.floats(tensor.place, input.data.length).set(input.data);
  }
}

function assertMatches(name: string, { shape, data }: RuntimeTensor, wanted: readonly number[]): void {
  if (!(data instanceof Float32Array)) {
    throw new DscAuditError('wrong-input', `The input '${name}' must be float32 (a Float32Array).`);
  }
  const isRight = shape.length === wanted.length && shape.every((extent, axis) => extent === wanted[axis]);
  if (!isRight || data.length !== elementsOf(wanted)) {
    const given = `${shape.join('x')} with ${data.length} elements`;
    throw new DscAuditError('wrong-input', `The input '${name}' must be ${wanted.join('x')}, not ${given}.`);
  }
}

function readOutputs(executor: Executor, { outputs }: NetworkPlan): Readonly<Record<string, RuntimeTensor>> {
  return Object.fromEntries(
    outputs.map(({ name, tensor }) => [
      name,
      { shape: tensor.shape, data: executor.floats(tensor.place, elementsOf(tensor.shape)).slice() },
    ]),
  );
}
