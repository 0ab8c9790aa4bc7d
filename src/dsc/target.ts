import { DscAuditError } from '../ir/errors.ts';
import type { Savings } from './assess.ts';

/** What a model is to cost: at most so much, or so much less than now. */
export interface Target {
  readonly metric: TargetMetric;
  /** As it was given, for messages. */
  readonly text: string;
  /** The share that is to go, 0 to 1; null where a limit is given. */
  readonly reduction: number | null;
  /** In the metric's own unit; null where a reduction is given. */
  readonly limit: number | null;
}

/** What the model costs now. Null is what is not known. */
export interface ModelCost {
  readonly macs: number | null;
  readonly params: number;
  readonly fileBytes: number | null;
  readonly latencyMs: number | null;
}

interface Metric {
  /** What `before` has for it; null where that is not known. */
  readonly before: (cost: ModelCost) => number | null;
  /** What a replacement saves of it; null where that is not known. */
  readonly saving: (saved: Savings) => number | null;
  readonly units: Readonly<Record<string, number>>;
  readonly unknown: string;
}

const COUNTS = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 } as const;
const BYTES = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
} as const;
const MILLISECONDS = { us: 1e-3, µs: 1e-3, ms: 1, s: 1e3 } as const;

/** What a target can be set for. */
export const TARGET_METRICS = {
  macs: {
    before: ({ macs }) => macs,
    saving: ({ macs }) => macs,
    units: COUNTS,
    unknown: "some of the model's MACs are not known, so a target for them cannot be checked",
  },
  params: {
    before: ({ params }) => params,
    saving: ({ params }) => params,
    units: COUNTS,
    unknown: "the model's parameters are not known",
  },
  size: {
    before: ({ fileBytes }) => fileBytes,
    saving: ({ weightBytes }) => weightBytes,
    units: BYTES,
    unknown: "a part of the model's files is missing, so its size is not known",
  },
  latency: {
    before: ({ latencyMs }) => latencyMs,
    saving: ({ latencyMs }) => latencyMs,
    units: MILLISECONDS,
    unknown: "the model's latency is not known without a profile; set a target for macs, params or size",
  },
} as const satisfies Record<string, Metric>;

export type TargetMetric = keyof typeof TARGET_METRICS;

const isMetric = (name: string): name is TargetMetric => Object.hasOwn(TARGET_METRICS, name);

/** Reads `macs=-50%`, `params=5M`, `size=20MB` or `latency=15ms`. Throws `invalid-option`. */
export function parseTarget(text: string): Target {
  const [, name = '', sign = '', digits = '', unit = ''] =
    /^([a-z]+)=([-−]?)(\d+(?:\.\d+)?)\s*([a-zµ%]*)$/i.exec(text.trim()) ?? [];
  if (!isMetric(name)) {
    throw invalid(`'${text}' is no target; write one of ${Object.keys(TARGET_METRICS).join(', ')}, as in macs=-50%`);
  }
  const value = Number(digits);
  if (unit === '%') {
    if (sign === '') throw invalid(`'${text}': write how much is to go, as in ${name}=-50%`);
    if (value <= 0 || value >= 100) throw invalid(`'${text}': a reduction lies between 0 % and 100 %`);
    return { metric: name, text, reduction: value / 100, limit: null };
  }
  const units: Readonly<Record<string, number>> = TARGET_METRICS[name].units;
  const factor = Object.hasOwn(units, unit.toLowerCase()) ? units[unit.toLowerCase()] : undefined;
  if (sign !== '' || factor === undefined || value <= 0) {
    const known = Object.keys(units).filter(Boolean).join(', ');
    throw invalid(`'${text}': write a reduction as in ${name}=-50%, or a limit with a unit (${known})`);
  }
  return { metric: name, text, reduction: null, limit: value * factor };
}

/** How much must be saved; 0 or less where the target is met already. Throws `invalid-option` where nobody can tell. */
export function neededSaving({ metric, reduction, limit }: Target, cost: ModelCost): number {
  const before = TARGET_METRICS[metric].before(cost);
  if (before === null) throw new DscAuditError('invalid-option', `${capital(TARGET_METRICS[metric].unknown)}.`);
  return reduction === null ? before - (limit ?? before) : before * reduction;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const invalid = (what: string): DscAuditError => new DscAuditError('invalid-option', `${what}.`);
