import type { Candidate, Figures, Report } from '../../../audit/report.ts';
import { AXIS, type Chart, COLOUR, FONT_SIZE, LABEL } from './chart.ts';

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
  return {
    id,
    height: 240,
    alternative: `Line chart of what is saved as candidates are converted, those that save most MACs first. With all ${candidates.length} converted: ${ends.join(', ')}.`,
    markTitle: (series, index) => {
      const at = curves[series];
      return at ? `${index} converted: ${at.name} −${(at.saved[index] ?? 0).toFixed(1)} %` : '';
    },
    option: {
      grid: { left: 42, right: 62, top: 14, bottom: 40 },
      xAxis: {
        ...AXIS,
        type: 'value',
        min: 0,
        max: candidates.length,
        minInterval: 1,
        splitLine: { show: false },
        name: 'candidates converted',
        nameLocation: 'middle',
        nameGap: 26,
      },
      yAxis: {
        ...AXIS,
        type: 'value',
        min: lowest < 0 ? Math.floor(lowest / 10) * 10 : 0,
        max: 100,
        interval: lowest < -100 ? 100 : 25,
        axisLabel: { ...LABEL, formatter: '{value} %' },
      },
      series: curves.map(({ name, color, saved }) => ({
        type: 'line',
        data: saved.map((share, converted) => [converted, share]),
        showSymbol: candidates.length <= MAX_MARKS,
        symbol: 'circle',
        symbolSize: 5,
        itemStyle: { color },
        lineStyle: { color, width: 2 },
        endLabel: { show: true, formatter: name, color, fontSize: FONT_SIZE, distance: 6 },
        labelLayout: { moveOverlap: 'shiftY' },
      })),
    },
  };
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
