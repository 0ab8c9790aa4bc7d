import type { ChalkInstance } from 'chalk';
import type { BlockSection, Figures, Report } from '../audit/report.ts';
import { BLOCK_NAMES } from './block-text.ts';
import { modelNotes } from './call-notes.ts';
import { coverageLines, diagnosticLines } from './diagnostic-lines.ts';
import { lowerBounds } from './lower-bounds.ts';
import { plainText, wrap } from './plain-text.ts';
import { stagesOf } from './stages.ts';
import { strategyLines } from './strategy-lines.ts';
import { convolutionsOf, couldBecome, STRATEGY_WORDS } from './strategy-text.ts';
import { trainingLines } from './training-lines.ts';
import { bytes, change, changeBetween, latency, milliseconds, percent, quantity } from './units.ts';

interface SummaryOptions {
  readonly width: number | null;
  readonly style: ChalkInstance;
  /** Nothing is cut. */
  readonly all: boolean;
  /** Models of the call: of several, what holds for all of them is not said here. */
  readonly models: number;
}

/** Totals before and after, what the verdicts come to, coverage, and what else is to be said. */
export function summaryLines(report: Report, { style, width, all, models }: SummaryOptions): readonly string[] {
  return [
    ...totalsLines(report, style),
    '',
    ...verdictLines(report, style, width),
    ...blockLines(report, width),
    ...curveLines(report, style),
    ...strategyLines(report, { style, width, all }),
    ...memoryLines(report, width),
    ...trainingLines(report.training, style),
    ...coverageLines(report.coverage, { style, width }),
    ...diagnosticLines(models === 1 ? report.diagnostics : modelNotes(report), { style, width }),
  ];
}

/** A figure's name, how it is printed, and what it is at each stage. */
interface TotalsRow {
  readonly label: string;
  readonly cells: readonly string[];
  readonly change: string;
}

function totalsLines(report: Report, style: ChalkInstance): readonly string[] {
  const { totals, model } = report;
  const stages = stagesOf(report);
  const atLeast = lowerBounds(report);
  const widths = stages.map(({ title }, index) => Math.max(title.length, index === 0 ? 10 : 11));
  const line = ({ label, cells, change: difference }: TotalsRow) =>
    [label.padEnd(11), ...cells.map((cell, index) => cell.padStart(widths[index] ?? 0)), difference.padStart(9)]
      .join('  ')
      .trimEnd();
  const compared = (
    label: string,
    figure: (value: number | null) => string,
    pick: (figures: Figures) => number | null,
    bound = atLeast.macs,
  ) => {
    const values = stages.map(({ figures }) => pick(figures));
    const [first = null] = values;
    const last = values.at(-1) ?? null;
    const known = stages.length > 1 && first !== null && last !== null;
    const difference = known ? style.green(changeBetween(first, last, bound).padStart(9)) : '';
    return line({
      label,
      cells: values.map((value) => (value === null ? '' : bound) + figure(value)),
      change: difference,
    });
  };
  const only = (label: string, text: string) => line({ label, cells: [text], change: '' });
  const peakLine = () => {
    const peaks = stages.map(({ peak }) => peak);
    const [first = null] = peaks;
    const last = peaks.at(-1) ?? null;
    const isCompared = peaks.length > 1 && first !== null && last !== null;
    const cells = peaks.map((peak, index) => (index > 0 && peak === null ? '' : bytes(peak)));
    return line({ label: 'Peak memory', cells, change: isCompared ? change(first, last).padStart(9) : '' });
  };
  return [
    style.dim(line({ label: '', cells: stages.map(({ title }) => title), change: stages.length > 1 ? 'change' : '' })),
    compared('Params', quantity, ({ params }) => params, atLeast.params),
    compared('MACs', quantity, ({ macs }) => macs),
    compared('FLOPs', quantity, ({ flops }) => flops),
    compared('Weights', bytes, ({ weightBytes }) => weightBytes, atLeast.params),
    ...(report.scaling === null ? [only('Activations', `${atLeast.activations}${bytes(totals.activationBytes)}`)] : []),
    peakLine(),
    ...(stages.every(({ figures }) => figures.latencyMs === null)
      ? []
      : [compared('Latency', milliseconds, ({ latencyMs }) => latencyMs?.value ?? null, atLeast.latency)]),
    ...(model.fileBytes === null || report.scaling !== null ? [] : [only('File', bytes(model.fileBytes))]),
  ];
}

function verdictLines(report: Report, style: ChalkInstance, width: number | null): readonly string[] {
  const { dsc, totals } = report;
  const { candidates, rejected, projection } = dsc;
  const { all: convolutions } = convolutionsOf(report);
  if (convolutions === 0) return ['It has no convolutions.'];
  const reasons = new Map<string, number>();
  for (const { reason } of rejected) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const kept = Array.from(reasons, ([reason, amount]) => `${amount} ${reason}`).join(', ');
  const share = percent(projection.convertibleMacs, totals.macs);
  const replacements = new Set(candidates.flatMap(({ replacement }) => replacement ?? []));
  const spelt = replacements.size === 0 ? '' : ` (${[...replacements].join(', ')})`;
  const first =
    candidates.length === 0
      ? `No candidates among ${convolutions} ${convolutions === 1 ? 'convolution' : 'convolutions'}.`
      : `${couldBecome(report)}${spelt}: ${share} of the MACs.`;
  return [
    ...wrap(first, width).map((line) => style.bold(line)),
    ...(kept === '' ? [] : wrap(`Left as they are: ${kept}.`, width)),
    ...slowerLines(dsc, width),
    ...latencyLines(report, width),
  ];
}

/** Kinds of blocks by the MACs that they hold: `17 inverted residual blocks hold 89 % of the MACs.` */
function blockLines({ blocks, totals, dsc }: Report, width: number | null): readonly string[] {
  const kinds = new Map<BlockSection['kind'], { count: number; macs: number }>();
  for (const { kind, macs } of blocks) {
    const known = kinds.get(kind) ?? { count: 0, macs: 0 };
    kinds.set(kind, { count: known.count + 1, macs: known.macs + (macs ?? 0) });
  }
  if (kinds.size === 0) return [];
  const told = [...kinds]
    .sort(([, a], [, b]) => b.macs - a.macs)
    .map(([kind, { count, macs }]) => {
      const [one, many] = BLOCK_NAMES[kind];
      return `${count} ${count === 1 ? one : many} (${percent(macs, totals.macs)} of the MACs)`;
    });
  const isDone = dsc.candidates.length === 0 && STRATEGY_WORDS[dsc.strategy].replaces === 'convolution';
  const rest = isDone ? ' Nothing is left to convert.' : '';
  return wrap(`Blocks: ${told.join(', ')}.${rest}`, width);
}

/** Candidates that are named before the rest is only counted. */
const MAX_OF_A_KIND = 3;

/** Candidates that would be slower are named, and not counted on. */
function slowerLines({ candidates, strategy }: Report['dsc'], width: number | null): readonly string[] {
  const slower = candidates.filter(({ recommended }) => !recommended).map(({ layer }) => plainText(layer));
  if (slower.length === 0) return [];
  const named = slower.slice(0, MAX_OF_A_KIND).join(', ');
  const more = slower.length > MAX_OF_A_KIND ? ` and ${slower.length - MAX_OF_A_KIND} more` : '';
  return wrap(`Slower ${STRATEGY_WORDS[strategy].as}, so not counted on: ${named}${more}.`, width);
}

/** The projection with its intervals, and what it comes from. */
function latencyLines(report: Report, width: number | null): readonly string[] {
  const { profile } = report;
  const { before, after } = report.dsc.projection;
  if (profile === null || before.latencyMs === null) return [];
  const { threads, machine, error } = profile;
  const on = `${plainText(machine)}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  const atLeast = lowerBounds(report).latency;
  const then =
    after.latencyMs === null || after.latencyMs.value === before.latencyMs.value
      ? ''
      : ` → ${atLeast}${latency(after.latencyMs)}`;
  const sentence = `Projected on ${on}: ${atLeast}${latency(before.latencyMs)}${then}. Half of the layers that the profile had not seen were within ±${error.medianPercent.toFixed(1)} %.`;
  return wrap([sentence, ...memoryBoundSentence(report)].join(' '), width);
}

/** How much of the time is spent left of the roofline's ridge, where fewer MACs alone save nothing. */
function memoryBoundSentence({ layers, profile, totals: { latencyMs } }: Report): readonly string[] {
  const roofline = profile?.roofline ?? null;
  const bound = layers.filter((layer) => layer.bound === 'memory-bound');
  if (roofline === null || latencyMs === null || bound.length === 0) return [];
  const boundMs = bound.reduce((sum, layer) => sum + (layer.latencyMs?.value ?? 0), 0);
  const ridge = (roofline.flopsPerSecond / roofline.bytesPerSecond).toFixed(1);
  const count = bound.length === 1 ? '1 layer is' : `${bound.length} layers are`;
  return [`${count} memory-bound, below ${ridge} FLOPs per byte: ${percent(boundMs, latencyMs.value)} of that.`];
}

/** What has to be given up for what is saved: the same figures that `rewrite` plans with. */
function curveLines({ dsc: { curve }, totals }: Report, style: ChalkInstance): readonly string[] {
  if (curve === null || curve.length === 0) return [];
  const line = (macs: string, loss: string, layers: string) =>
    `${macs.padStart(9)}${loss.padStart(9)}${layers.padStart(9)}`;
  return [
    '',
    'What saving costs, at the best layers and ranks (loss: energy lost, all layers together):',
    style.dim(line('MACs', 'loss', 'layers')),
    ...curve.map(({ macs, loss, layers }) =>
      line(change(totals.macs, totals.macs - macs), loss.toFixed(3), String(layers)),
    ),
    '',
  ];
}

/** Peaks by schedule, where they were asked for. */
function memoryLines({ memory }: Report, width: number | null): readonly string[] {
  const plans = memory?.plans ?? null;
  if (plans === null) return [];
  const { modelOrderBytes, bestOrderBytes, slicedBlocksBytes, slicedBlocks } = plans;
  const best = bestOrderBytes === null ? '' : `, in the best order found ${bytes(bestOrderBytes)}`;
  const blocks = slicedBlocks === 1 ? 'inverted residual' : 'inverted residuals';
  const sliced = slicedBlocks === 0 ? '' : `, with ${slicedBlocks} ${blocks} in slices ${bytes(slicedBlocksBytes)}`;
  return wrap(`Peak memory in the model's order ${bytes(modelOrderBytes)}${best}${sliced}.`, width);
}
