/** Times the networks of a sweep, pass after pass over all of them, so that no slow phase of the machine takes every turn of one. */
import { DscAuditError } from '../ir/errors.ts';
import type { AnalysedModel } from '../runtime/network/analysed-model.ts';
import type { Backend, OpenBackend } from './backends/backend.ts';
import type { Sample } from './fit-cost-model.ts';
import type { StepWork } from './program-work.ts';
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
  /** Empty until it was loaded once. */
  readonly steps: readonly StepWork[];
  /** By run, by step: milliseconds. */
  readonly runs: readonly (readonly number[])[];
}

/** Times that a network is loaded at most. */
const MAX_PASSES = 6;

/** Networks that are timed however long it takes: a fit to fewer says nothing. */
const FEWEST_NETWORKS = 12;

/**
 * Every run of every network, in the sweep's order. The first pass goes as far as the time allows; where it ends early, the
 * networks that are left have no runs.
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
  const models = backend.sweep(seed, networks);
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    for (const [index, model] of models.entries()) {
      if (now() >= untilMs && swept.length >= Math.min(FEWEST_NETWORKS, networks)) return swept;
      await anotherTurn();
      if (signal.aborted) throw interrupted();
      progress();
      const known = swept[index]?.runs ?? [];
      const { steps, runs } = await visit(model, opened, threads, backend.effort.runs);
      swept[index] = { steps, runs: [...known, ...runs] };
    }
  }
  return swept;
}

/** Loads the network, runs it a few times, and gives its memory back. */
async function visit(model: AnalysedModel, opened: OpenBackend, threads: number, count: number): Promise<SweptNetwork> {
  const network = await opened.load(model, threads);
  try {
    // The first run brings the caches into the state that a run of this network leaves.
    await network.time();
    const runs: (readonly number[])[] = [];
    for (let run = 0; run < count; run++) runs.push(await network.time());
    return { steps: network.steps, runs };
  } finally {
    await network.close();
  }
}

/** What each step takes undisturbed. */
export function samplesOf(swept: readonly SweptNetwork[]): readonly Sample[] {
  return swept.flatMap(({ steps, runs }, network) =>
    steps.flatMap(({ group, terms, layer }, step) => {
      const latencyMs = undisturbed(runs.map((times) => times[step] ?? Number.NaN));
      return latencyMs > 0 ? [{ work: { group, terms }, latencyMs, network, layer }] : [];
    }),
  );
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
