import type { FigureUnit } from '../ir/quantity.ts';
import type { MeasuredReport } from './measured-report.ts';

/** What a budget can be set on. The same word stands in options, in the configuration and in the report. */
export type MetricName =
  | 'params'
  | 'macs'
  | 'flops'
  | 'size'
  | 'weight-bytes'
  | 'peak-memory'
  | 'latency'
  | 'convertible-macs';

/** A figure of a model. */
export interface Figure {
  /** Null where it is not known. */
  readonly value: number | null;
  /** Why it is not known, or only a lower bound; null for an exact figure. */
  readonly doubt: string | null;
}

export interface Metric {
  readonly unit: FigureUnit;
  /** What the option's help says. */
  readonly description: string;
  /** A limit as people write it. */
  readonly example: string;
  read(report: MeasuredReport, allowed: Allowances): Figure;
  /** Why figures of two reports cannot be compared; null where they can. */
  incomparable?(before: MeasuredReport, after: MeasuredReport): string | null;
}

export interface Allowances {
  /** Milliseconds of the reference profile, which is another machine's, are taken too. */
  readonly referenceProfile: boolean;
}

export const METRICS: Readonly<Record<MetricName, Metric>> = {
  params: {
    unit: 'count',
    description: 'parameters',
    example: '5M',
    read: (report) => ({ value: report.totals.params.total, doubt: unknownOperators(report) }),
  },
  macs: {
    unit: 'count',
    description: 'multiply-accumulates',
    example: '600M',
    read: (report) => ({ value: report.totals.macs, doubt: uncountedWork(report) }),
  },
  flops: {
    unit: 'count',
    description: 'floating-point operations',
    example: '1.2G',
    read: (report) => ({ value: report.totals.flops, doubt: uncountedWork(report) }),
  },
  size: {
    unit: 'bytes',
    description: 'the file with its external data',
    example: '20MB',
    read: ({ model }) => ({
      value: model.fileBytes,
      doubt: model.fileBytes === null ? 'a part of its external data is not there' : null,
    }),
  },
  'weight-bytes': {
    unit: 'bytes',
    description: 'weights by their stored type',
    example: '20MB',
    read: (report) => ({ value: report.totals.weightBytes, doubt: unknownOperators(report) }),
  },
  'peak-memory': {
    unit: 'bytes',
    description: 'activations alive at once',
    example: '8MB',
    read: ({ totals }) => ({
      value: totals.peakActivationBytes,
      doubt: totals.peakActivationBytes === null ? 'an activation has no known size' : null,
    }),
  },
  latency: {
    unit: 'milliseconds',
    description: 'projected time, the upper end of its interval',
    example: '15ms',
    read: latency,
    incomparable: (before, after) =>
      before.profile?.id === after.profile?.id ? null : 'the two reports were projected with different profiles',
  },
  'convertible-macs': {
    unit: 'share',
    description: 'share of the MACs that sit in candidates',
    example: '40%',
    read: convertibleShare,
  },
};

/** Every metric, in the order that they are told in. */
export const METRIC_NAMES = Object.keys(METRICS).filter((name): name is MetricName => Object.hasOwn(METRICS, name));

function latency(report: MeasuredReport, { referenceProfile }: Allowances): Figure {
  const { totals, profile } = report;
  if (totals.latencyMs === null || profile === null) {
    return { value: null, doubt: 'no cost model projected every layer of it' };
  }
  if (profile.source === 'reference' && !referenceProfile) {
    const doubt =
      'the reference profile is of another machine: calibrate this one, or accept it with --allow-reference-profile';
    return { value: null, doubt };
  }
  const { value, high } = totals.latencyMs;
  if (!isBelievable(value, totals.macs)) {
    return { value: null, doubt: 'no machine is as fast as the profile tells: calibrate anew' };
  }
  const isWhole = !totals.isLatencyLowerBound;
  return { value: high, doubt: uncountedWork(report) ?? (isWhole ? null : 'the profile knows no cost of some layers') };
}

/** More than any processor does, by far: 10^18 multiply-accumulates a second. */
const MAX_MACS_A_MS = 1e15;

/** A profile may come from anybody, and one of zeroes would let every model pass. */
const isBelievable = (latencyMs: number, macs: number): boolean =>
  Number.isFinite(latencyMs) && latencyMs > 0 && macs / latencyMs <= MAX_MACS_A_MS;

/** A share of something that lacks a part may err either way: no lower bound either. */
function convertibleShare(report: MeasuredReport): Figure {
  const doubt = uncountedWork(report);
  if (doubt !== null) return { value: null, doubt };
  const { macs } = report.totals;
  return { value: macs === 0 ? 0 : report.dsc.projection.convertibleMacs / macs, doubt: null };
}

/** An operator that nobody knows may hold parameters; extents have no part in them. */
function unknownOperators({ diagnostics }: MeasuredReport): string | null {
  const unknown = diagnostics.filter(({ code }) => code === 'unknown-operator').length;
  if (unknown === 0) return null;
  return `${unknown === 1 ? 'an operator is' : `${unknown} operators are`} unknown`;
}

function uncountedWork({ coverage: { nodes, counted }, diagnostics }: MeasuredReport): string | null {
  if (counted < nodes) return `only ${counted} of ${nodes} nodes are counted`;
  const unclear = diagnostics.find(({ code }) => Object.hasOwn(UNCLEAR_WORK, code));
  return unclear === undefined ? null : (UNCLEAR_WORK[unclear.code] ?? null);
}

/** What is counted once or by guess, although all of it is counted. */
const UNCLEAR_WORK: Readonly<Record<string, string>> = {
  'trip-count-unknown': 'how often a loop runs depends on data: its body is counted once',
  'branch-unclear': 'which branch costs more cannot be told',
};
