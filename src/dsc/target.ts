import { DscAuditError } from '../ir/errors.ts';
import { type FigureUnit, parseQuantity } from '../ir/quantity.ts';
import type { Savings } from './assess.ts';

/** What a model is to cost: at most so much, or so much less than now. */
export interface Target {
  readonly metric: TargetMetric;
  /** As it was given, for messages. */
  readonly text: string;
  /** The share that is to go, 0 to 1; null where a limit is given. */
  readonly reduction: number | null;
  /** In the metric's unit; null where a reduction is given. */
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
  readonly unit: FigureUnit;
  readonly unknown: string;
}

/** What a target can be set for. */
export const TARGET_METRICS = {
  macs: {
    before: ({ macs }) => macs,
    saving: ({ macs }) => macs,
    unit: 'count',
    unknown: "some of the model's MACs are not known, so a target for them cannot be checked",
  },
  params: {
    before: ({ params }) => params,
    saving: ({ params }) => params,
    unit: 'count',
    unknown: "the model's parameters are not known",
  },
  size: {
    before: ({ fileBytes }) => fileBytes,
    saving: ({ weightBytes }) => weightBytes,
    unit: 'bytes',
    unknown: "a part of the model's files is missing, so its size is not known",
  },
  latency: {
    before: ({ latencyMs }) => latencyMs,
    saving: ({ latencyMs }) => latencyMs,
    unit: 'milliseconds',
    unknown: "the model's latency is not known without a profile; set a target for macs, params or size",
  },
} as const satisfies Record<string, Metric>;

export type TargetMetric = keyof typeof TARGET_METRICS;

const isMetric = (name: string): name is TargetMetric => Object.hasOwn(TARGET_METRICS, name);

/** Reads `macs=-50%`, `params=5M`, `size=20MB` or `latency=15ms`. Throws `invalid-option`. */
export function parseTarget(text: string): Target {
  const [, name = '', aim = ''] = /^([a-z]+)=(.+)$/.exec(text.trim()) ?? [];
  if (!isMetric(name)) {
    throw invalid(`'${text}' is no target; write one of ${Object.keys(TARGET_METRICS).join(', ')}, as in macs=-50%`);
  }
  const isReduction = /^[-−]/.test(aim);
  if (isReduction !== aim.endsWith('%')) {
    throw invalid(`'${text}': write how much is to go, as in ${name}=-50%, or what is to be left`);
  }
  if (isReduction) {
    const reduction = parseQuantity(aim.slice(1), 'share');
    if (reduction <= 0 || reduction >= 1) throw invalid(`'${text}': a reduction lies between 0 % and 100 %`);
    return { metric: name, text, reduction, limit: null };
  }
  const limit = parseQuantity(aim, TARGET_METRICS[name].unit);
  if (limit === 0) throw invalid(`'${text}': a limit is larger than 0`);
  return { metric: name, text, reduction: null, limit };
}

/** How much must be saved; 0 or less where the target is met already. Throws `invalid-option` where nobody can tell. */
export function neededSaving({ metric, reduction, limit }: Target, cost: ModelCost): number {
  const before = TARGET_METRICS[metric].before(cost);
  if (before === null) throw new DscAuditError('invalid-option', `${capital(TARGET_METRICS[metric].unknown)}.`);
  return reduction === null ? before - (limit ?? before) : before * reduction;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const invalid = (what: string): DscAuditError => new DscAuditError('invalid-option', `${what}.`);
