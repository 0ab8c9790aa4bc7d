import type { Candidate, Layer, Rejection, Report } from '../audit/report.ts';
import { shortPath } from '../dsc/layer-path.ts';
import { blockText } from './block-text.ts';

/** One line of a table of layers: a layer, or a module with everything in it. */
export interface Row {
  readonly name: string;
  readonly what: string;
  readonly output: Layer['outputShapes'][number];
  readonly layers: number;
  readonly params: number;
  readonly macs: number | null;
  readonly flops: number | null;
  readonly activationBytes: number | null;
  /** Null where it is not known, or no profile was used. */
  readonly latencyMs: number | null;
  readonly verdict: Verdict | null;
  /** It is an operator that nobody knows. */
  readonly isUnknown: boolean;
}

/** What the audit says of the convolutions in a row. */
export interface Verdict {
  readonly candidates: number;
  /** MACs of the candidates, and what is left of them. */
  readonly before: number | null;
  readonly after: number | null;
  /** Milliseconds that the candidates save; below 0 where they are slower. */
  readonly savedMs: number | null;
  /** The reason, where the row is one rejected convolution. */
  readonly reason: Rejection['reason'] | null;
}

export const SORTS = {
  order: () => 0,
  name: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  macs: (a, b) => descending(a.macs, b.macs),
  flops: (a, b) => descending(a.flops, b.flops),
  params: (a, b) => b.params - a.params,
  memory: (a, b) => descending(a.activationBytes, b.activationBytes),
  latency: (a, b) => descending(a.latencyMs, b.latencyMs),
  saving: (a, b) => saving(b) - saving(a),
} as const satisfies Record<string, (a: Row, b: Row) => number>;

export type Sort = keyof typeof SORTS;

/** What is not known comes first: it may be the most. */
function descending(a: number | null, b: number | null): number {
  return (b ?? Number.POSITIVE_INFINITY) - (a ?? Number.POSITIVE_INFINITY) || 0;
}

function saving({ verdict }: Row): number {
  return (verdict?.before ?? 0) - (verdict?.after ?? 0);
}

/** What becomes one row: a layer, a module so many names deep, or a block that has a name in the field. */
export type Grouping = 'layers' | 'blocks' | { readonly depth: number };

export function rowsOf(report: Report, grouping: Grouping): readonly Row[] {
  const candidates = new Map(
    report.dsc.candidates.flatMap((candidate) => candidate.layers.map((layer) => [layer, candidate] as const)),
  );
  const rejected = new Map(report.dsc.rejected.map((rejection) => [rejection.index, rejection]));
  const unknown = new Set(
    report.diagnostics.flatMap(({ code, layer }) => (code === 'unknown-operator' && layer !== null ? [layer] : [])),
  );
  const rows = report.layers.map((layer) => {
    const verdict = verdictOf(layer, candidates.get(layer.index), rejected.get(layer.index));
    return layerRow(layer, verdict, unknown.has(layer.name));
  });
  if (grouping === 'layers') return rows;
  return grouping === 'blocks' ? blockRows(report, rows) : moduleRows(report.layers, rows, grouping.depth);
}

/** Blocks as rows, where their first layer stands; layers in no block as they are. */
function blockRows({ blocks }: Report, rows: readonly Row[]): readonly Row[] {
  const inBlock = new Set(blocks.flatMap(({ layers }) => layers));
  const starts = new Map(blocks.map((block) => [block.layers[0], block]));
  return rows.flatMap((row, index) => {
    const block = starts.get(index);
    if (block === undefined) return inBlock.has(index) ? [] : [row];
    const members = block.layers.flatMap((layer) => rows[layer] ?? []);
    return [{ ...moduleRow(block.name, members), what: blockText(block) }];
  });
}

function layerRow(layer: Layer, verdict: Verdict | null, isUnknown: boolean): Row {
  return {
    name: nameOf(layer),
    what: whatOf(layer),
    output: layer.outputShapes[0] ?? null,
    layers: 1,
    params: layer.params.total,
    macs: layer.macs,
    flops: layer.flops,
    activationBytes: layer.outputBytes,
    latencyMs: layer.latencyMs?.value ?? null,
    isUnknown,
    verdict,
  };
}

/** Of a candidate of several convolutions each takes the part of what is left, and of what is saved, that it has of the MACs. */
function verdictOf(layer: Layer, candidate: Candidate | undefined, rejection: Rejection | undefined): Verdict | null {
  if (rejection) return { candidates: 0, before: null, after: null, savedMs: null, reason: rejection.reason };
  if (!candidate || layer.conv === null) return null;
  const candidates = layer.index === candidate.index ? 1 : 0;
  const { before, after } = candidate;
  const saved = savedMs(candidate);
  const isWhole = candidate.layers.length === 1;
  if (isWhole || before.macs === null || after.macs === null || layer.macs === null || before.macs === 0) {
    return { candidates, before: before.macs, after: after.macs, savedMs: saved, reason: null };
  }
  const part = layer.macs / before.macs;
  return {
    candidates,
    before: layer.macs,
    after: after.macs * part,
    savedMs: saved === null ? null : saved * part,
    reason: null,
  };
}

function savedMs({ before, after }: Candidate): number | null {
  return before.latencyMs === null || after.latencyMs === null ? null : before.latencyMs.value - after.latencyMs.value;
}

/** The short path of a layer, without the operator at the end where that says nothing new. */
export function nameOf({ name, scope, op }: Pick<Layer, 'name' | 'scope' | 'op'>): string {
  const last = name.split('/').filter(Boolean).at(-1) ?? name;
  return shortPath([...scope, ...(last === op && scope.length > 0 ? [] : [last])]).join('/');
}

/** `Conv 3×3 /2`, with stride, dilation and groups where they are not 1. */
export function whatOf({ op, conv }: Layer): string {
  if (conv === null) return op;
  const extents = conv.kernel.join('×');
  const stride = conv.strides.some((step) => step > 1) ? ` /${common(conv.strides)}` : '';
  const dilation = conv.dilations.some((step) => step > 1) ? ` d${common(conv.dilations)}` : '';
  const groups = conv.groups > 1 ? ` g${conv.groups}` : '';
  return `${op} ${extents}${stride}${dilation}${groups}`;
}

function common(steps: readonly number[]): string {
  return steps.every((step) => step === steps[0]) ? String(steps[0]) : steps.join('×');
}

/** Layers that are in no module. */
const TOP_LEVEL = '(top level)';

function moduleRows(layers: readonly Layer[], rows: readonly Row[], depth: number): readonly Row[] {
  const modules = new Map<string, Row[]>();
  layers.forEach((layer, index) => {
    const row = rows[index];
    const path = shortPath(layer.scope.slice(0, depth)).join('/') || TOP_LEVEL;
    const members = modules.get(path) ?? [];
    if (row) members.push(row);
    modules.set(path, members);
  });
  return Array.from(modules, ([name, members]) => moduleRow(name, members));
}

function moduleRow(name: string, members: readonly Row[]): Row {
  const verdicts = members.flatMap(({ verdict }) => (verdict && verdict.reason === null ? [verdict] : []));
  const [only] = members;
  if (members.length === 1 && only) return { ...only, name };
  return {
    name,
    what: `${members.length} layers`,
    output: members.at(-1)?.output ?? null,
    layers: members.length,
    params: members.reduce((sum, { params }) => sum + params, 0),
    macs: sumOf(members.map(({ macs }) => macs)),
    flops: sumOf(members.map(({ flops }) => flops)),
    activationBytes: sumOf(members.map(({ activationBytes }) => activationBytes)),
    latencyMs: sumOf(members.map(({ latencyMs }) => latencyMs)),
    isUnknown: members.some(({ isUnknown }) => isUnknown),
    verdict:
      verdicts.length === 0
        ? null
        : {
            candidates: verdicts.reduce((sum, verdict) => sum + verdict.candidates, 0),
            before: sumOf(verdicts.map(({ before }) => before)),
            after: sumOf(verdicts.map(({ after }) => after)),
            savedMs: sumOf(verdicts.map((verdict) => verdict.savedMs)),
            reason: null,
          },
  };
}

/** Null where one of them is not known. */
function sumOf(figures: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const figure of figures) {
    if (figure === null) return null;
    sum += figure;
  }
  return sum;
}
