import type { Candidate, Layer, Report, Roofline } from '../../../audit/report.ts';
import { nameOf } from '../../rows.ts';
import { STRATEGY_WORDS } from '../../strategy-text.ts';
import { bytes, quantity, round } from '../../units.ts';
import { AXIS, CHART_WIDTH, type Chart, COLOUR, FONT_SIZE, LABEL } from './chart.ts';

/** A layer on the plot. */
interface Point {
  readonly name: string;
  /** FLOPs per byte. */
  readonly intensity: number;
  /** FLOPs a second where times are known, else FLOPs. */
  readonly height: number;
}

interface Points {
  readonly kept: readonly Point[];
  readonly before: readonly Point[];
  readonly after: readonly Point[];
}

/**
 * Every layer by arithmetic intensity, as it is and as a DSC. Where the profile gives times, the height is the speed, and
 * below the roof min(peak compute, intensity × bandwidth); without times it is the FLOPs, over diagonals of equal bytes.
 */
export function roofline(report: Report, id: string): Chart | null {
  const roof = report.profile?.roofline ?? null;
  const isTimed = hasTimes(report);
  const points = pointsOf(report, isTimed);
  const all = [...points.kept, ...points.before, ...points.after];
  if (all.length === 0) return null;
  const domain = domainOf(all, isTimed ? roof : null);
  const guides = isTimed ? roofLines(roof, domain) : byteLines(all, domain);
  const unit = isTimed ? 'FLOP/s' : 'FLOPs';
  const series = [
    marks(points.kept, { color: COLOUR.kept }),
    marks(points.before, { color: 'transparent', borderColor: COLOUR.now, borderWidth: 1.5 }),
    marks(points.after, { color: COLOUR.dsc }),
  ];
  const named = [points.kept, points.before, points.after];
  return {
    id,
    height: PLOT.height + MARGIN.top + MARGIN.bottom,
    alternative: alternativeOf(points, unit, isTimed),
    markTitle(index, at) {
      const point = named[index - guides.length]?.[at];
      const as = index - guides.length === 2 ? ` ${STRATEGY_WORDS[report.dsc.strategy].as}` : '';
      return point
        ? `${point.name}${as}: ${quantity(point.height, unit)} at ${point.intensity.toPrecision(3)} FLOPs per byte`
        : '';
    },
    option: {
      grid: MARGIN,
      xAxis: logAxis(domain.x, 'FLOPs per byte read and written', (value) => `${value}`),
      yAxis: {
        ...logAxis(domain.y, unit, (value) => round(quantity(value))),
        nameLocation: 'end',
        nameGap: 10,
        nameTextStyle: { ...LABEL, align: 'right', padding: [0, 8, 0, 0] },
      },
      series: [...guides, ...series],
    },
  };
}

/** Without times a layer's height is its FLOPs. */
export const hasTimes = ({ layers }: Report): boolean => layers.some(({ latencyMs }) => latencyMs !== null);

const MARGIN = { left: 50, right: 16, top: 24, bottom: 42 } as const;
const PLOT = { width: CHART_WIDTH - MARGIN.left - MARGIN.right, height: 254 } as const;

/** Points that a plot can show apart; of more, those of the most FLOPs. */
const MAX_POINTS = 1000;

function pointsOf({ layers, dsc }: Report, isTimed: boolean): Points {
  const candidates = new Set(dsc.candidates.flatMap((candidate) => candidate.layers));
  const drawn = layers.flatMap((layer) => pointOf(layer, isTimed)).sort((a, b) => b.point.height - a.point.height);
  const shown = drawn.slice(0, MAX_POINTS);
  return {
    kept: shown.filter(({ layer }) => !candidates.has(layer.index)).map(({ point }) => point),
    before: shown.filter(({ layer }) => candidates.has(layer.index)).map(({ point }) => point),
    after: dsc.candidates.slice(0, MAX_POINTS).flatMap((candidate) => pointAfter(candidate, layers, isTimed)),
  };
}

function pointOf(layer: Layer, isTimed: boolean): readonly { layer: Layer; point: Point }[] {
  const height = heightOf(layer.flops, layer.latencyMs, isTimed);
  if (!isPositive(layer.intensity) || !isPositive(height)) return [];
  return [{ layer, point: { name: nameOf(layer), intensity: layer.intensity, height } }];
}

function pointAfter(
  { index, layer, after, intensity }: Candidate,
  layers: readonly Layer[],
  isTimed: boolean,
): readonly Point[] {
  const height = heightOf(after.flops, after.latencyMs, isTimed);
  if (!isPositive(intensity.after) || !isPositive(height)) return [];
  const at = layers[index];
  return [{ name: at ? nameOf(at) : layer, intensity: intensity.after, height }];
}

/** A logarithm has no place for nothing. */
const isPositive = (value: number | null): value is number => value !== null && value > 0 && Number.isFinite(value);

function heightOf(flops: number | null, latency: Layer['latencyMs'], isTimed: boolean): number | null {
  if (!isTimed || flops === null) return flops;
  return latency === null ? null : (1000 * flops) / latency.value;
}

type Range = readonly [from: number, to: number];

interface Domain {
  readonly x: Range;
  readonly y: Range;
}

/** Whole decades around everything that is drawn. */
function domainOf(points: readonly Point[], roof: Roofline | null): Domain {
  const ridge = roof ? [roof.flopsPerSecond / roof.bytesPerSecond] : [];
  return {
    x: decades([...points.map(({ intensity }) => intensity), ...ridge]),
    y: decades([...points.map(({ height }) => height), ...(roof ? [roof.flopsPerSecond] : [])]),
  };
}

function decades(values: readonly number[]): Range {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const from = 10 ** Math.floor(Math.log10(low));
  return [from, Math.max(10 * from, 10 ** Math.ceil(Math.log10(high)))];
}

function logAxis([min, max]: Range, name: string, formatter: (value: number) => string) {
  return {
    ...AXIS,
    type: 'log',
    min,
    max,
    name,
    nameLocation: 'middle',
    nameGap: 26,
    axisLabel: { ...LABEL, formatter, hideOverlap: true },
  };
}

function marks(points: readonly Point[], style: Readonly<Record<string, unknown>>) {
  return {
    type: 'scatter',
    data: points.map(({ intensity, height }) => [intensity, height]),
    symbolSize: 7,
    itemStyle: { opacity: 1, ...style },
  };
}

/** A thin line, named near its end and along its last slope. */
function guide(points: readonly Spot[], label: string, domain: Domain) {
  const [before, end] = [points.at(-2) ?? [1, 1], points.at(-1) ?? [1, 1]];
  const [across, up] = [
    pixels(before[0], end[0], domain.x, PLOT.width),
    pixels(before[1], end[1], domain.y, PLOT.height),
  ];
  const back = LABEL_INSET / Math.hypot(across, up);
  const at = [0, 1].map((axis) => (end[axis] ?? 1) / ((end[axis] ?? 1) / (before[axis] ?? 1)) ** back);
  const name = {
    ...LABEL,
    show: true,
    formatter: label,
    position: 'inside',
    align: 'right',
    verticalAlign: 'bottom',
    rotate: (Math.atan2(up, across) * 180) / Math.PI,
    fontSize: FONT_SIZE - 1,
    padding: [0, 0, 3, 0],
  };
  return {
    type: 'line',
    silent: true,
    symbol: 'none',
    data: [...points.slice(0, -1), { value: at, symbol: 'circle', symbolSize: 0.01, label: name }, end],
    lineStyle: { color: COLOUR.faint, width: 1, type: [3, 3], opacity: 0.7 },
  };
}

type Spot = readonly [intensity: number, height: number];

const LABEL_INSET = 8;

function pixels(from: number, to: number, [low, high]: Range, extent: number): number {
  return (extent * Math.log10(to / from)) / Math.log10(high / low);
}

/** Where bytes are equal, FLOPs = intensity × bytes. */
function byteLines(points: readonly Point[], domain: Domain) {
  const moved = decades(points.map(({ intensity, height }) => height / intensity));
  const steps = Math.round(Math.log10(moved[1] / moved[0]));
  const every = Math.max(1, Math.ceil((steps + 1) / 4));
  const sizes = Array.from({ length: Math.floor(steps / every) + 1 }, (_, step) => moved[0] * 10 ** (step * every));
  return sizes.flatMap((size) => {
    const line = clipped(size, domain);
    return line === null ? [] : [guide(line, round(bytes(size)), domain)];
  });
}

/** The part of height = slope × intensity that lies on the plot; null where that is next to nothing. */
function clipped(slope: number, { x, y }: Domain): readonly [Spot, Spot] | null {
  const from = Math.max(x[0], y[0] / slope);
  const to = Math.min(x[1], y[1] / slope);
  return to / from < 3
    ? null
    : [
        [from, from * slope],
        [to, to * slope],
      ];
}

function roofLines(roof: Roofline | null, domain: Domain) {
  if (roof === null) return [];
  const { flopsPerSecond, bytesPerSecond } = roof;
  const ridge = flopsPerSecond / bytesPerSecond;
  const from = Math.max(domain.x[0], domain.y[0] / bytesPerSecond);
  const label = `${quantity(flopsPerSecond, 'FLOP/s')}, ${bytes(bytesPerSecond)}/s`;
  const points: readonly Spot[] = [
    [from, from * bytesPerSecond],
    [ridge, flopsPerSecond],
    [domain.x[1], flopsPerSecond],
  ];
  return [guide(points, label, domain)];
}

function alternativeOf({ kept, before, after }: Points, unit: string, isTimed: boolean): string {
  const middle = (points: readonly Point[]) => {
    const sorted = points.map(({ intensity }) => intensity).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)]?.toPrecision(2);
  };
  const what = isTimed ? 'Roofline plot' : 'Plot';
  const layers = `${what} of ${kept.length + before.length} layers: ${unit} against FLOPs per byte.`;
  if (after.length === 0) return layers;
  return `${layers} The median candidate does ${middle(before)} FLOPs per byte as it is, and ${middle(after)} replaced.`;
}
