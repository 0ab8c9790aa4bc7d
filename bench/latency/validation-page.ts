/** What a validation found, as a page of the documentation. */
import type { ChosenProfile } from '../../src/latency/choose-profile.ts';
import { machineText } from '../../src/latency/machine.ts';
import type { Machine, ThreadFit } from '../../src/latency/profile.ts';
import type { ModelProjection } from '../../src/latency/project.ts';
import { median } from '../../src/latency/undisturbed.ts';

/** A network, measured and projected. */
export interface Outcome {
  readonly name: string;
  readonly measuredMs: number;
  readonly projected: ModelProjection;
  /** Share of the layers, of those that take 20 µs or more, that lie within their interval. */
  readonly layersHeld: number;
  readonly layerErrors: readonly number[];
  readonly after: { readonly measuredMs: number; readonly projected: ModelProjection } | null;
}

interface Result {
  readonly fit: ThreadFit;
  readonly outcomes: readonly Outcome[];
}

export function validationPage(
  { profile }: ChosenProfile,
  machine: Machine,
  date: Date,
  results: readonly Result[],
): string {
  const lines = [
    '# Projected beside measured',
    '',
    'Written by `npm run validate:latency`. None of these networks is in the sweep that the profile was fitted to. The right half is',
    'the same network with every recommended candidate replaced. What was measured is, for each layer, the time that a tenth of its runs',
    'stayed below, and for a network the sum of these: on a shared machine hardly a run of a whole network is undisturbed.',
    '',
    `Measured on ${date.toISOString().slice(0, 10)}: ${machineText(machine)}, Node.js ${machine.node}. Profile ${profile.id}, calibrated on`,
    `${profile.calibratedAt.slice(0, 10)}: ${machineText(profile.machine)}, ${profile.variant ?? profile.backend} kernels.`,
    ...results.flatMap(section),
  ];
  return `${lines.join('\n')}\n`;
}

function section({ fit, outcomes }: Result): readonly string[] {
  return [
    '',
    `## ${threadsText(fit)}`,
    '',
    ...rooflineText(fit),
    ...heldOutText(fit),
    '',
    '| network | measured | projected | error | in its interval | layers in theirs | as DSC: measured | projected | ratio: measured | projected | error |',
    `|${'---|'.repeat(11)}`,
    ...outcomes.map(row),
    '',
    ...summary(outcomes),
  ];
}

const threadsText = ({ threads }: ThreadFit): string => (threads === 1 ? 'One thread' : `${threads} threads`);

const rooflineText = ({ roofline }: ThreadFit): readonly string[] =>
  roofline === null
    ? []
    : [
        `Roofline: ${(roofline.flopsPerSecond / 1e9).toFixed(1)} GFLOP/s and ${(roofline.bytesPerSecond / 1e9).toFixed(1)} GB/s.`,
      ];

const heldOutText = ({ error }: ThreadFit): readonly string[] => [
  `Held-out layers of the sweep: ${error.heldOut}, half within ±${error.medianPercent.toFixed(1)} %, ${percent(error.within10Percent)} within ±10 %; its networks: half within`,
  `±${error.networkMedianPercent.toFixed(1)} %, ${percent(error.networkWithin10Percent)} within ±10 %. Intervals of 90 % held ${percent(error.coverage)} of the layers.`,
  ...(error.repeat === null
    ? []
    : [
        `Two measurements of the same layers: half within ±${error.repeat.medianPercent.toFixed(1)} %, ${percent(error.repeat.within10Percent)} within ±10 %: no model can do better.`,
      ]),
];

const totalOf = ({ totalMs }: ModelProjection): number => totalMs?.value ?? Number.NaN;

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

const signed = (share: number): string => `${share < 0 ? '−' : '+'}${(100 * Math.abs(share)).toFixed(1)} %`;

const milliseconds = (value: number): string => `${value.toPrecision(value >= 100 ? 4 : 3)} ms`;

function row({ name, measuredMs, projected, layersHeld, after }: Outcome): string {
  const total = totalOf(projected);
  const interval = projected.totalMs;
  const isHeld = interval !== null && measuredMs >= interval.low && measuredMs <= interval.high;
  const cells = [
    name,
    milliseconds(measuredMs),
    (projected.isLowerBound ? '≥ ' : '') + milliseconds(total),
    signed(total / measuredMs - 1),
    isHeld ? 'yes' : 'no',
    percent(layersHeld),
  ];
  if (after === null) return `| ${[...cells, '', '', '', '', ''].join(' | ')} |`;
  const afterMs = totalOf(after.projected);
  const [measuredRatio, projectedRatio] = [measuredMs / after.measuredMs, total / afterMs];
  const asDsc = [
    milliseconds(after.measuredMs),
    milliseconds(afterMs),
    measuredRatio.toFixed(2),
    projectedRatio.toFixed(2),
    signed(projectedRatio / measuredRatio - 1),
  ];
  return `| ${[...cells, ...asDsc].join(' | ')} |`;
}

function summary(outcomes: readonly Outcome[]): readonly string[] {
  const totals = outcomes.map(({ projected, measuredMs }) => Math.abs(totalOf(projected) / measuredMs - 1));
  const layers = outcomes.flatMap(({ layerErrors }) => layerErrors.map(Math.abs));
  const ratios = outcomes.flatMap(({ measuredMs, projected, after }) =>
    after ? [Math.abs(totalOf(projected) / totalOf(after.projected) / (measuredMs / after.measuredMs) - 1)] : [],
  );
  const within = (errors: readonly number[], limit: number): string =>
    `${errors.filter((error) => error <= limit).length} of ${errors.length}`;
  return [
    `Networks: ${within(totals, 0.1)} within ±10 %, ${within(totals, 0.05)} within ±5 %. Their layers of 20 µs and more: half within`,
    `±${(100 * (median(layers) ?? Number.NaN)).toFixed(1)} %, ${within(layers, 0.1)} within ±10 %. Ratios of before to after: ${within(ratios, 0.1)} within ±10 %.`,
  ];
}
