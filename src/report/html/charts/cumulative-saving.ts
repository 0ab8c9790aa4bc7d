import type { Candidate, Figures, Report } from '../../../audit/report.ts';
import { AXIS, type Chart, COLOUR, FONT_SIZE, LABEL, stepsTo } from './chart.ts';

interface Curve {
  readonly name: string;
  readonly color: string;
  /** Shares of the model, 0 to 100, with 0, 1, 2, … candidates converted. */
  readonly saved: readonly number[];
}

/** What is saved of the model as one candidate after the other is converted; null where there is none. */
export function cumulativeSaving({ dsc }: Report, id: string): Chart | null {
  const { candidates, projection } = dsc;
  if (candidates.length === 0) return null;
  const curves = [
    curve('MACs', COLOUR.dsc, candidates, projection, ({ macs }) => macs),
    curve('Params', COLOUR.now, candidates, projection, ({ params }) => params),
    curve('Latency', COLOUR.ink, candidates, projection, ({ latencyMs }) => latencyMs?.value ?? null),
  ].filter((each) => each !== null);
  if (curves.length === 0) return null;
  const ends = curves.map(({ name, saved }) => `${name} ${(saved.at(-1) ?? 0).toFixed(1)} %`);
  const lowest = Math.min(0, ...curves.flatMap(({ saved }) => saved));
  const floor = lowest < 0 ? Math.floor(lowest / 10) * 10 : 0;
  const nudges = apart(
    curves.map(({ saved }) => ((HEIGHT - MARGIN.top - MARGIN.bottom) * (100 - (saved.at(-1) ?? 0))) / (100 - floor)),
  );
  return {
    id,
    height: HEIGHT,
    alternative: `Line chart of what is saved as candidates are converted, those that save most MACs first. With all ${candidates.length} converted: ${ends.join(', ')}.`,
    markTitle: (series, index) => {
      const at = curves[series];
      return at ? `${index} converted: ${at.name} −${(at.saved[index] ?? 0).toFixed(1)} %` : '';
    },
    option: {
      grid: { left: 42, right: 62, ...MARGIN },
      xAxis: {
        ...AXIS,
        ...stepsTo(candidates.length),
        splitLine: { show: false },
        name: 'candidates converted',
        nameLocation: 'middle',
        nameGap: 26,
      },
      yAxis: {
        ...AXIS,
        type: 'value',
        min: floor,
        max: 100,
        interval: lowest < -100 ? 100 : 25,
        axisLabel: { ...LABEL, formatter: '{value} %' },
      },
      series: curves.map(({ name, color, saved }, at) => ({
        type: 'line',
        data: saved.map((share, converted) => [converted, share]),
        showSymbol: candidates.length <= MAX_MARKS,
        symbol: 'circle',
        symbolSize: 5,
        itemStyle: { color },
        lineStyle: { color, width: 2 },
        endLabel: {
          show: true,
          formatter: name,
          color,
          fontSize: FONT_SIZE,
          distance: 6,
          offset: [0, nudges[at] ?? 0],
        },
      })),
    },
  };
}

const HEIGHT = 240;
const MARGIN = { top: 14, bottom: 40 } as const;
const LABEL_HEIGHT = 15;

/** How far labels at these heights have to move down or up so that none covers another. */
function apart(heights: readonly number[]): readonly number[] {
  const order = heights.map((_, index) => index).sort((a, b) => (heights[a] ?? 0) - (heights[b] ?? 0));
  const moves = heights.map(() => 0);
  let last = Number.NEGATIVE_INFINITY;
  for (const index of order) {
    const height = heights[index] ?? 0;
    last = Math.max(height, last + LABEL_HEIGHT);
    moves[index] = last - height;
  }
  return moves;
}

/** More marks than that are no more told apart. */
const MAX_MARKS = 40;

/** Null where a figure is not known, or where layers share what they save, so that it does not add up. */
function curve(
  name: string,
  color: string,
  candidates: readonly Candidate[],
  { before, after }: Report['dsc']['projection'],
  figure: (figures: Figures) => number | null,
): Curve | null {
  const [whole, left] = [figure(before), figure(after)];
  if (whole === null || left === null || whole === 0) return null;
  const saved = [0];
  let sum = 0;
  for (const candidate of candidates) {
    const [now, then] = [figure(candidate.before), figure(candidate.after)];
    if (now === null || then === null) return null;
    sum += now - then;
    saved.push((100 * sum) / whole);
  }
  return Math.abs(sum - (whole - left)) <= 0.001 * whole ? { name, color, saved } : null;
}
