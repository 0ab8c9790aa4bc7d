/** Calibrates a cost model on this machine: times the sweep's networks on a backend, and fits. */
import { DscAuditError } from '../ir/errors.ts';
import type { Backend, OpenBackend, TimedNetwork } from './backends/backend.ts';
import type { Sample } from './fit-cost-model.ts';
import { type Machine, PROFILE_FORMAT, PROFILE_VERSION, type Profile } from './profile.ts';
import { profileId } from './profile-store.ts';
import { type SteadyWatch, steadyWatch, undisturbed } from './steady.ts';
import { threadFit } from './validate-fit.ts';

export interface CalibrateOptions {
  readonly backend: Backend;
  /** Numbers of threads; the first is what audits project for. */
  readonly threads: readonly number[];
  /** A small sweep: seconds instead of minutes, and wider intervals. */
  readonly quick: boolean;
}

/** What a calibration takes from around it. */
export interface CalibrateContext {
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
  readonly date: () => Date;
  readonly machine: Machine;
  /** Hears the share that is done, from 0 to 1, and milliseconds that are left. */
  readonly progress: (share: number, leftMs: number) => void;
  /** Hears how many networks of how many were never timed in a steady moment, and so do not count. */
  readonly disturbed: (threads: number, networks: number, of: number) => void;
  /** Stops the calibration: it throws `interrupted`. */
  readonly signal: AbortSignal;
}

/** Time for all numbers of threads together, and networks for each. */
const EFFORT = {
  full: { budgetMs: 125_000, networks: 128 },
  quick: { budgetMs: 5_000, networks: 28 },
} as const;

const SEED = 1;

/** Networks in memory at the same time, timed in turn. */
const BATCH = 8;

const MIN_ROUNDS = 2;

/** How much longer a batch may take where the machine was disturbed, as a share of its time. */
const GRACE = 0.4;
const MAX_ROUNDS = 60;

/** Runs in steady moments that a network needs. */
const ENOUGH_RUNS = 6;

/**
 * Times and fits; the profile is not stored.
 *
 * @throws {DscAuditError} `interrupted` once `signal` is aborted
 */
export async function calibrate(
  { backend, threads, quick }: CalibrateOptions,
  context: CalibrateContext,
): Promise<Profile> {
  const opened = await backend.open(context.now);
  const effort = quick ? EFFORT.quick : EFFORT.full;
  const start = context.now();
  const fits = [];
  let steps = 0;
  for (const [index, count] of threads.entries()) {
    const clock: Clock = {
      from: start + (effort.budgetMs * index) / threads.length,
      until: start + (effort.budgetMs * (index + 1)) / threads.length,
      start,
      end: start + effort.budgetMs,
    };
    const samples = await timeSweep(backend, opened, count, effort.networks, clock, context);
    steps = samples.length;
    const timed = new Set(samples.map(({ network }) => network)).size;
    if (timed === 0) throw tooBusy();
    if (timed < effort.networks) context.disturbed(count, effort.networks - timed, effort.networks);
    fits.push(threadFit(count, samples));
  }
  const contents = {
    format: PROFILE_FORMAT,
    version: PROFILE_VERSION,
    backend: backend.name,
    runtime: opened.version,
    variant: opened.variant,
    machine: context.machine,
    calibratedAt: context.date().toISOString(),
    sweep: { seed: SEED, networks: effort.networks, steps },
    fits,
  } as const;
  return roundNumbers({ ...contents, id: profileId(contents) });
}

/** Milliseconds of the clock: of this number of threads, and of the whole calibration. */
interface Clock {
  readonly from: number;
  readonly until: number;
  readonly start: number;
  readonly end: number;
}

/** Times every step of every network of the sweep on so many threads. */
async function timeSweep(
  backend: Backend,
  opened: OpenBackend,
  threads: number,
  networks: number,
  clock: Clock,
  context: CalibrateContext,
): Promise<readonly Sample[]> {
  const reference = await opened.load(backend.reference(), threads);
  const watch = steadyWatch(async () => {
    await reference.time();
  }, context.now);
  for (let turn = 0; turn < WARM_UP_TURNS; turn++) await watch.isSteady();
  const samples: Sample[] = [];
  try {
    const models = backend.sweep(SEED, networks);
    for (let first = 0; first < models.length; first += BATCH) {
      const batch = models.slice(first, first + BATCH);
      const until = clock.from + ((clock.until - clock.from) * (first + batch.length)) / models.length;
      const loaded: TimedNetwork[] = [];
      try {
        for (const model of batch) loaded.push(await opened.load(model, threads));
        const times = await timeInTurn(loaded, watch, until, clock, context);
        samples.push(...loaded.flatMap((network, index) => samplesOf(network, times[index] ?? [], first + index)));
      } finally {
        await Promise.all(loaded.map((network) => network.close()));
      }
    }
  } finally {
    await reference.close();
  }
  return samples;
}

const WARM_UP_TURNS = 50;

/**
 * Rounds over all networks until the time is up, and longer where the machine was disturbed: a network whose moment was has
 * lost its round. By network, by step: times; none of a network that was always disturbed.
 */
async function timeInTurn(
  networks: readonly TimedNetwork[],
  watch: SteadyWatch,
  until: number,
  clock: Clock,
  { now, progress, signal }: CalibrateContext,
): Promise<readonly (readonly (readonly number[])[])[]> {
  const runs: (readonly number[])[][] = networks.map(() => []);
  for (const network of networks) await network.time();
  const graceMs = Math.max(0, GRACE * (until - now()));
  const isDone = (index: number): boolean => (runs[index]?.length ?? 0) >= ENOUGH_RUNS;
  const goesOn = (round: number): boolean =>
    round < MIN_ROUNDS || now() < until || (now() < until + graceMs && !networks.every((_, index) => isDone(index)));
  for (let round = 0; round < MAX_ROUNDS && goesOn(round); round++) {
    for (const [index, network] of networks.entries()) {
      await anotherTurn();
      if (signal.aborted) throw interrupted();
      if (now() >= until && isDone(index)) continue;
      progress(Math.min(1, (now() - clock.start) / (clock.end - clock.start)), Math.max(0, clock.end - now()));
      // The first run brings the caches into the state that a run of this network leaves.
      await network.time();
      const before = await watch.isSteady();
      const timed = [await network.time(), await network.time()];
      if (before && (await watch.isSteady())) runs[index]?.push(...timed);
    }
  }
  return runs.map((timed, index) =>
    (networks[index]?.steps ?? []).map((_, step) => timed.map((times) => times[step] ?? 0)),
  );
}

const tooBusy = (): DscAuditError =>
  new DscAuditError(
    'machine-busy',
    'The machine was never steady while it was timed; nothing was stored. Close other programs and run dsc-audit calibrate again.',
  );

const interrupted = (): DscAuditError =>
  new DscAuditError('interrupted', 'The calibration was interrupted; nothing was stored.');

/** Whatever else the process has to do gets its turn. */
const anotherTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function samplesOf({ steps }: TimedNetwork, times: readonly (readonly number[])[], network: number): readonly Sample[] {
  return steps.flatMap(({ group, terms, layer }, index) => {
    const latencyMs = undisturbed(times[index] ?? []);
    return latencyMs > 0 ? [{ work: { group, terms }, latencyMs, network, layer }] : [];
  });
}

/** Five digits tell all that a measurement can. */
function roundNumbers<T>(value: T): T {
  return JSON.parse(
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === 'number' && !Number.isInteger(inner) ? Number(inner.toPrecision(5)) : inner,
    ),
  );
}
