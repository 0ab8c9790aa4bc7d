import type { Report } from '../../../audit/report.ts';
import { plainText, shorten } from '../../plain-text.ts';
import { type Row, rowsOf, SORTS } from '../../rows.ts';
import { percent, quantity } from '../../units.ts';
import { AXIS, type Chart, COLOUR, LABEL } from './chart.ts';

const MAX_BARS = 12;
const BAR_PITCH = 21;
const NAME_WIDTH = 22;
const MARGIN = { left: 158, right: 52, top: 4, bottom: 4 } as const;

interface Bar {
  readonly name: string;
  /** MACs that stay as they are, that are left of candidates as DSCs, and that these save. */
  readonly kept: number;
  readonly asDsc: number;
  readonly saved: number;
}

/** The costliest layers, with what a DSC leaves of each; null where nothing is multiplied. */
export function costBars(report: Report, id: string): Chart | null {
  const rows = rowsOf(report, 'layers')
    .filter(({ macs }) => macs !== null && macs > 0)
    .sort(SORTS.macs);
  if (rows.length === 0) return null;
  const bars = rows.slice(0, MAX_BARS).map(barOf);
  const rest = rows.slice(MAX_BARS);
  const more = rest.length === 0 ? [] : [`${rest.length} more ${rest.length === 1 ? 'layer' : 'layers'}`];
  const total = report.totals.macs;
  const series = (key: 'kept' | 'asDsc' | 'saved', color: string) => ({
    type: 'bar',
    stack: 'macs',
    barWidth: 11,
    itemStyle: { color },
    data: [...bars.map((bar) => bar[key]), ...more.map(() => 0)],
  });
  const restMacs = rest.reduce((all, { macs }) => all + (macs ?? 0), 0);
  const sum = ({ kept, asDsc, saved }: Bar) => kept + asDsc + saved;
  return {
    id,
    height: (bars.length + more.length) * BAR_PITCH + 8,
    alternative: `Bar chart of the MACs of the costliest layers. ${bars.map((bar) => `${bar.name}: ${percent(sum(bar), total)}`).join(', ')}.`,
    markTitle: (_, index) => {
      const bar = bars[index];
      if (!bar) return '';
      const now = `${bar.name}: ${quantity(sum(bar))} MACs, ${percent(sum(bar), total)}`;
      return bar.saved === 0 ? now : `${now}; with DSCs ${quantity(bar.kept + bar.asDsc)}`;
    },
    option: {
      grid: MARGIN,
      xAxis: { type: 'value', show: false, min: 0, max: Math.max(...bars.map(sum)) },
      yAxis: [
        category([...bars.map(({ name }) => shorten(plainText(name), NAME_WIDTH)), ...more], 'left', COLOUR.ink),
        category(
          [...bars.map((bar) => percent(sum(bar), total)), ...more.map(() => percent(restMacs, total))],
          'right',
          COLOUR.faint,
        ),
      ],
      series: [series('kept', COLOUR.kept), series('asDsc', COLOUR.dsc), series('saved', COLOUR.saved)],
    },
  };
}

function category(data: readonly string[], position: 'left' | 'right', color: string) {
  const margin = position === 'left' ? 8 : MARGIN.right;
  const axisLabel = { ...LABEL, color, interval: 0, margin, align: 'right' };
  return { ...AXIS, type: 'category', inverse: true, position, data, axisLabel, splitLine: { show: false } };
}

function barOf({ name, macs, verdict }: Row): Bar {
  const now = macs ?? 0;
  if (verdict === null || verdict.before === null || verdict.after === null)
    return { name, kept: now, asDsc: 0, saved: 0 };
  return { name, kept: now - verdict.before, asDsc: verdict.after, saved: verdict.before - verdict.after };
}
