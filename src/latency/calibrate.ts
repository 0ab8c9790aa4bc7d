/** Calibrates a cost model on this machine: times the sweep's networks on a backend, and fits. */
import type { Backend } from './backends/backend.ts';
import { type Machine, PROFILE_FORMAT, PROFILE_VERSION, type Profile, type ThreadFit } from './profile.ts';
import { profileId } from './profile-store.ts';
import { halvesOf, samplesOf, timeSweep } from './time-sweep.ts';
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
  /** Hears the share that is done, from 0 to 1, and milliseconds that are left at most. */
  readonly progress: (share: number, leftMs: number) => void;
  /** Hears how many networks of how many were not timed in a good moment, or not at all for lack of time. */
  readonly leftOut: (threads: number, networks: number, of: number) => void;
  /** Stops the calibration: it throws `interrupted`. */
  readonly signal: AbortSignal;
}

/** Time at most for each number of threads. The fit comes on top: a second or two for the full sweep. */
const BUDGET_MS = { full: 120_000, quick: 6_500 } as const;

/**
 * Time for the ends of the roofline. Slow phases of a shared machine last for seconds, and a peak that was measured in one is
 * none: the full sweep waits for a better moment.
 */
const ROOFLINE_MS = { full: 6_000, quick: 240 } as const;

const SEED = 1;

/**
 * Times and fits; the profile is not stored.
 *
 * @throws {DscAuditError} `interrupted` once `signal` is aborted
 */
export async function calibrate(
  { backend, threads, quick }: CalibrateOptions,
  context: CalibrateContext,
): Promise<Profile> {
  const { now, signal } = context;
  const size = quick ? 'quick' : 'full';
  const networks = backend.effort.networks[size];
  const budgetMs = BUDGET_MS[size] * threads.length;
  const start = now();
  const progress = (): void => {
    const passedMs = now() - start;
    context.progress(Math.min(1, passedMs / budgetMs), Math.max(0, budgetMs - passedMs));
  };
  const opened = await backend.open(now);
  const fits: ThreadFit[] = [];
  let steps = 0;
  for (const [index, count] of threads.entries()) {
    const untilMs = start + BUDGET_MS[size] * (index + 1);
    const swept = await timeSweep(
      backend,
      opened,
      { seed: SEED, networks, threads: count, untilMs },
      { now, progress, signal },
    );
    // After the sweep: by now the engine has optimised every kernel.
    const roofline = await opened.roofline(count, ROOFLINE_MS[size]);
    const samples = samplesOf(swept, backend.effort.fewest);
    const timed = new Set(samples.map(({ network }) => network)).size;
    if (timed < networks) context.leftOut(count, networks - timed, networks);
    steps += samples.length;
    fits.push(
      threadFit(
        count,
        samples,
        halvesOf(swept).map((half) => samplesOf(half)),
        roofline,
      ),
    );
  }
  const contents = {
    format: PROFILE_FORMAT,
    version: PROFILE_VERSION,
    backend: backend.name,
    runtime: opened.version,
    variant: opened.variant,
    machine: context.machine,
    calibratedAt: context.date().toISOString(),
    sweep: { seed: SEED, networks, steps },
    fits,
  } as const;
  return roundNumbers({ ...contents, id: profileId(contents) });
}

/** Five digits tell all that a measurement can. */
function roundNumbers<T>(value: T): T {
  return JSON.parse(
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === 'number' && !Number.isInteger(inner) ? Number(inner.toPrecision(5)) : inner,
    ),
  );
}
