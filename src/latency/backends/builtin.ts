/** The built-in runtime: its own planner says what is run, and its executor times every step. */
import { DscAuditError } from '../../ir/errors.ts';
import type { Constant } from '../../ir/graph.ts';
import { measureBandwidth } from '../../runtime/bandwidth.ts';
import { probeKernels } from '../../runtime/capabilities.ts';
import { createExecutor } from '../../runtime/execute/executor.ts';
import type { KernelVariant } from '../../runtime/kernels/kernel.ts';
import { VARIANTS } from '../../runtime/kernels/variants.ts';
import type { AnalysedModel } from '../../runtime/network/analysed-model.ts';
import { ConstantValues } from '../../runtime/network/constants.ts';
import { type NetworkPlan, planNetwork } from '../../runtime/network/network.ts';
import { fitsRuntime, type RunnablePart, runnablePart } from '../../runtime/network/runnable-part.ts';
import { measurePeak } from '../../runtime/peak.ts';
import { elementsOf } from '../../runtime/plan/tensor.ts';
import { programWork } from '../program-work.ts';
import type { Backend, PlannedWork } from './backend.ts';

interface Options {
  readonly variant: KernelVariant;
  readonly threads: number;
  readonly exact: boolean;
}

export const builtin: Backend = {
  name: 'builtin',
  effort: { networks: { full: 128, quick: 28 }, fewest: 12, turns: 2 },
  // Only calibrations need them: projections need not load them.
  sweep: async (seed, count) => (await import('../sweep.ts')).sweepNetworks(seed, count),
  reference: async () => (await import('../sweep.ts')).referenceNetwork(),
  open: async (now) => {
    const kernels = probeKernels({ experimentalWideVectors: false, now });
    const variant = VARIANTS[kernels.variant];
    return {
      variant: kernels.variant,
      version: __DSC_AUDIT_RUNTIME__,
      load: async (model, threads) => {
        const options = { variant, threads, exact: false };
        const plan = planNetwork(model, new ConstantValues(model, null), options);
        // Each step is a layer of its own, with a barrier behind it: that is how it can be timed.
        const steps = plan.program.steps.map((step, layer) => ({ ...step, layer, barrier: true }));
        const executor = await createExecutor(kernels.module, { ...plan.program, steps }, keptBuffers(plan), threads);
        for (const { tensor } of plan.inputs) {
          const data = executor.floats(tensor.place, elementsOf(tensor.shape));
          for (let index = 0; index < data.length; index++) data[index] = 2 * ((index * 0.618033988749895) % 1) - 1;
        }
        return {
          ...describe(plan, options, { unrunnable: [], positions: null }),
          time: () => [...executor.run(now)],
          close: () => executor.close(),
        };
      },
      roofline: async (threads, forMs) => ({
        flopsPerSecond: 1e9 * (await measurePeak(kernels, threads, now, forMs / 2)),
        bytesPerSecond: 1e9 * (await measureBandwidth(kernels, threads, now, forMs / 2)),
      }),
    };
  },
  plan: (model, { variant, threads, exact = false }) => {
    const known = Object.entries(VARIANTS).find(([name]) => name === variant)?.[1];
    if (known === undefined)
      throw new DscAuditError('invalid-option', `The built-in runtime has no variant '${variant}'.`);
    return planWithoutWeights(model, { variant: known, threads, exact });
  },
};

/** Laying out the memory of a plan takes time that grows with the square of its layers. */
const MAX_NODES = 5000;

/** Plans as much of the model as can be run, with zeroes for weights: what is run does not depend on them. */
function planWithoutWeights(model: AnalysedModel, options: Options): PlannedWork {
  const { inputs, outputs } = model.model.graph;
  // Inputs and outputs take memory of their own, in a graph of no nodes too.
  const places = model.nodes.length + inputs.length + outputs.length;
  if (places > MAX_NODES) {
    throw new DscAuditError(
      'cannot-run',
      `its ${places} nodes, inputs and outputs are more than are planned (${MAX_NODES})`,
    );
  }
  const constants = new ConstantValues(model, zeroes);
  // Alone, a node may be refused that its neighbour would take in: the whole is tried first.
  const plan = fitsRuntime(model) ? planOrNull(model, constants, options) : null;
  if (plan !== null) return describe(plan, options, { unrunnable: [], positions: null });
  const rest = runnablePart(model, constants, options);
  return describe(planNetwork(rest.part, constants, options), options, rest);
}

function planOrNull(model: AnalysedModel, constants: ConstantValues, options: Options): NetworkPlan | null {
  try {
    return planNetwork(model, constants, options);
  } catch (error) {
    if (error instanceof DscAuditError) return null;
    throw error;
  }
}

const keptBuffers = ({ inputs, outputs }: NetworkPlan): ReadonlySet<number> =>
  new Set([...inputs, ...outputs].map(({ tensor }) => tensor.place.buffer));

function describe(
  plan: NetworkPlan,
  options: Options,
  { unrunnable, positions }: Pick<RunnablePart, 'unrunnable'> & { readonly positions: readonly number[] | null },
): PlannedWork {
  const layers = plan.layers.map((layer) => ({
    ...layer,
    nodes: positions === null ? layer.nodes : layer.nodes.map((node) => positions[node] ?? node),
  }));
  return { layers, steps: programWork(plan.program, keptBuffers(plan), options), unrunnable };
}

/** Constants that planning looks into are small. */
const MAX_FILLED_ELEMENTS = 2 ** 24;

function zeroes(name: string, { shape }: Constant): Float32Array {
  const count = elementsOf(shape);
  if (count <= MAX_FILLED_ELEMENTS) return new Float32Array(count);
  throw new DscAuditError('cannot-run', `the constant '${name}' is too large to plan with`);
}
