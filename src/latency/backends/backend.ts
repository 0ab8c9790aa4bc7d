import type { AnalysedModel } from '../../runtime/network/analysed-model.ts';
import type { UnrunnableNode } from '../../runtime/network/runnable-part.ts';
import type { StepWork } from '../program-work.ts';
import type { Roofline } from '../roofline.ts';

/** What a backend does for a model, as far as a cost model must know it. */
export interface PlannedWork {
  readonly layers: readonly WorkLayer[];
  /** In the order in which they run. */
  readonly steps: readonly StepWork[];
  readonly unrunnable: readonly UnrunnableNode[];
}

/** One layer as the backend runs it. */
export interface WorkLayer {
  readonly name: string;
  readonly op: string;
  /** Positions, in the model's order of nodes, of all that it computes. */
  readonly nodes: readonly number[];
  readonly kernel: string;
}

/** A network that can be timed. */
export interface TimedNetwork extends PlannedWork {
  /** Milliseconds of each step in one run. */
  time(): readonly number[] | Promise<readonly number[]>;
  close(): Promise<void>;
}

/** A backend that is ready to run. */
export interface OpenBackend {
  /** Which of its kernels this machine runs; null where there is no choice. */
  readonly variant: string | null;
  readonly version: string;
  load(model: AnalysedModel, threads: number): Promise<TimedNetwork>;
  /** What it reaches here at most on so many threads, looked for during `forMs`; null where that could not be told. */
  roofline(threads: number, forMs: number): Promise<Roofline | null>;
}

/** How much a calibration times where time allows. */
export interface SweepEffort {
  /** Networks of a whole sweep, and of a quick one. */
  readonly networks: { readonly full: number; readonly quick: number };
  /** Networks that are timed however long it takes, and count however disturbed they were: a fit to fewer says nothing. */
  readonly fewest: number;
  /** Turns of two runs each time that a network is loaded. */
  readonly turns: number;
}

/** What runs networks: calibrations time it, and audits project for it. */
export interface Backend {
  readonly name: string;
  readonly effort: SweepEffort;
  /** What a calibration times: always the same for the same seed and number. */
  sweep(seed: number, count: number): Promise<readonly AnalysedModel[]>;
  /** A millisecond or so of everything: it is timed again and again, to tell how fast the machine is. */
  reference(): Promise<AnalysedModel>;
  /**
   * Finds out what it can do here.
   *
   * @throws {DscAuditError} `backend-missing` where a package has to be installed first
   */
  open(now: () => number): Promise<OpenBackend>;
  /** What it would do for a model; nothing is run, and no weights are read. */
  plan(model: AnalysedModel, options: PlanChoice): PlannedWork;
}

/** What a plan depends on beside the model. */
export interface PlanChoice {
  readonly variant: string | null;
  readonly threads: number;
  /** Only what keeps the order of arithmetic. */
  readonly exact?: boolean;
}
