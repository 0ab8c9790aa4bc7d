/** Times the networks of a sweep, pass after pass over all of them, so that no slow phase of the machine takes every turn of one. */
import { DscAuditError } from '../ir/errors.ts';
import type { AnalysedModel } from '../runtime/network/analysed-model.ts';
import type { Backend, OpenBackend } from './backends/backend.ts';
import type { Sample } from './fit-cost-model.ts';
import type { StepWork } from './program-work.ts';
import { type Run, type SteadyWatch, steadyRuns, steadyWatch, timedRuns, usualMs } from './steady.ts';
import { undisturbed } from './undisturbed.ts';

export interface TimeSweepOptions {
  readonly seed: number;
  readonly networks: number;
  readonly threads: number;
  /** When to stop, on the clock. */
  readonly untilMs: number;
}

export interface TimeSweepContext {
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
  /** Hears that it goes on. */
  readonly progress: () => void;
  /** Stops the timing: it throws `interrupted`. */
  readonly signal: AbortSignal;
}

/** A network of the sweep with every run of it. */
export interface SweptNetwork {
  readonly steps: readonly StepWork[];
  readonly runs: readonly Run[];
}

/** Times that a network is loaded at most; a quiet machine is through with it sooner than the time is up. */
const MAX_PASSES = 6;

const WARM_UP_TURNS = 50;

/**
 * Every run of every network, in the sweep's order. Where the time is up within the first pass, the networks that it did not
 * reach are not among them.
 *
 * @throws {DscAuditError} `interrupted` once the signal is aborted
 */
export async function timeSweep(
  backend: Backend,
  opened: OpenBackend,
  { seed, networks, threads, untilMs }: TimeSweepOptions,
  { now, progress, signal }: TimeSweepContext,
): Promise<readonly SweptNetwork[]> {
  const swept: SweptNetwork[] = [];
  const models = await backend.sweep(seed, networks);
  const reference = await opened.load(await backend.reference(), threads);
  const watch = steadyWatch(async () => {
    await reference.time();
  }, now);
  try {
    for (let turn = 0; turn < WARM_UP_TURNS; turn++) await watch.time();
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      for (const [index, model] of models.entries()) {
        if (now() >= untilMs && swept.length >= Math.min(backend.effort.fewest, networks)) return swept;
        await anotherTurn();
        if (signal.aborted) throw interrupted();
        progress();
        const { steps, runs } = await visit(model, opened, threads, backend.effort.turns, watch);
        swept[index] = { steps, runs: [...(swept[index]?.runs ?? []), ...runs] };
      }
    }
    return swept;
  } finally {
    await reference.close();
  }
}

/** Loads the network, runs it a few times, and gives its memory back. */
async function visit(
  model: AnalysedModel,
  opened: OpenBackend,
  threads: number,
  turns: number,
  watch: SteadyWatch,
): Promise<SweptNetwork> {
  const network = await opened.load(model, threads);
  try {
    await network.time();
    const turn = async (): Promise<readonly (readonly number[])[]> => {
      // The first run brings the caches into the state that a run of this network leaves.
      await network.time();
      return [await network.time(), await network.time()];
    };
    return { steps: network.steps, runs: await timedRuns(turns, turn, watch) };
  } finally {
    await network.close();
  }
}

/** What each step takes in good moments; nothing of a network that never had one, unless fewer than `fewest` had. */
export function samplesOf(swept: readonly SweptNetwork[], fewest = 0): readonly Sample[] {
  const counted = countedRuns(swept, fewest);
  return swept.flatMap(({ steps }, network) => {
    const steady = counted[network] ?? [];
    return steps.flatMap(({ group, terms, layer }, step) => {
      const latencyMs = undisturbed(steady.flatMap(({ times }) => times[step] ?? []));
      return latencyMs !== null && latencyMs > 0 ? [{ work: { group, terms }, latencyMs, network, layer }] : [];
    });
  });
}

/** The runs of each network in good moments; where fewer than `fewest` had one, those of the least disturbed others. */
function countedRuns(swept: readonly SweptNetwork[], fewest: number): readonly (readonly Run[])[] {
  const usual = usualMs(swept.flatMap(({ runs }) => runs));
  const steady = swept.map(({ runs }) => steadyRuns(runs, usual));
  const disturbed = swept
    .map(({ runs }, network) => ({ network, runs, leastMs: Math.min(...runs.map(({ workloadMs }) => workloadMs)) }))
    .filter(({ network }) => steady[network]?.length === 0)
    .sort((a, b) => a.leastMs - b.leastMs);
  const missing = Math.max(0, fewest - (swept.length - disturbed.length));
  const added = new Map(disturbed.slice(0, missing).map(({ network, runs, leastMs }) => [network, { runs, leastMs }]));
  return steady.map((runs, network) => {
    const more = added.get(network);
    return more ? steadyRuns(more.runs, more.leastMs) : runs;
  });
}

/** The same sweep as two measurements, of the earlier and of the later runs of each network. */
export function halvesOf(swept: readonly SweptNetwork[]): readonly (readonly SweptNetwork[])[] {
  return [0, 1].map((half) =>
    swept.map(({ steps, runs }) => {
      const middle = runs.length >> 1;
      return { steps, runs: half === 0 ? runs.slice(0, middle) : runs.slice(middle) };
    }),
  );
}

const interrupted = (): DscAuditError =>
  new DscAuditError('interrupted', 'The calibration was interrupted; nothing was stored.');

/** Whatever else the process has to do gets its turn. */
const anotherTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
