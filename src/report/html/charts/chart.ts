import { BarChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { plainText } from '../../plain-text.ts';
import { escapeHtml, Markup } from '../markup.ts';

use([BarChart, GridComponent, LineChart, ScatterChart, SVGRenderer]);

/** One chart: what ECharts draws, and what it says in words. */
export interface Chart {
  /** Distinct within the page. */
  readonly id: string;
  readonly height: number;
  readonly option: EChartsCoreOption;
  /** What whoever cannot see it is told. */
  readonly alternative: string;
  /** What a mark says under the pointer. */
  markTitle?(series: number, index: number): string;
}

/** Drawn for the narrowest screen that it is read on; wider ones scale it up. */
export const CHART_WIDTH = 420;

/** Colours of the page's style sheet, so that a chart follows light and dark. */
export const COLOUR = {
  ink: 'var(--ink)',
  faint: 'var(--faint)',
  rule: 'var(--rule)',
  kept: 'var(--kept)',
  now: 'var(--now)',
  dsc: 'var(--dsc)',
  saved: 'var(--saved)',
} as const;

export const FONT_SIZE = 12;

export const LABEL = { color: COLOUR.faint, fontSize: FONT_SIZE } as const;

/** Rules without ticks. */
export const AXIS = {
  axisLine: { show: false },
  axisTick: { show: false },
  minorTick: { show: false },
  axisLabel: LABEL,
  splitLine: { lineStyle: { color: COLOUR.rule, width: 1 } },
  nameTextStyle: LABEL,
} as const;

/** Whole steps along an axis from 0 to a number that is shown as well: what would run into that is left out. */
export function stepsTo(last: number) {
  const rough = last / 5;
  const decade = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const interval = [1, 2, 5, 10].map((step) => step * decade).find((step) => step >= rough) ?? 1;
  const formatter = (value: number): string => (value === last || value <= last - 0.6 * interval ? String(value) : '');
  return { type: 'value', min: 0, max: last, interval, axisLabel: { ...LABEL, formatter } } as const;
}

/** Draws a chart as SVG, without a browser. */
export function renderChart({ id, height, option, alternative, markTitle }: Chart): Markup {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: CHART_WIDTH, height });
  try {
    chart.setOption({ animation: false, textStyle: { fontFamily: 'inherit', color: COLOUR.ink }, ...option });
    const drawn = chart.renderToSVGString();
    const body = drawn.slice(drawn.indexOf('>') + 1);
    const opening = `<svg viewBox="0 0 ${CHART_WIDTH} ${height}" role="img" aria-label="${escapeHtml(plainText(alternative))}">`;
    return new Markup(opening + titled(pruned(body, id), markTitle));
  } finally {
    chart.dispose();
  }
}

/** Leaves out what the page's security policy forbids (styles), what only a live chart needs, and names that repeat. */
function pruned(svg: string, id: string): string {
  return svg
    .replace(/<style[\s\S]*?<\/style>/, '')
    .replace(/<rect [^>]*fill="none"[^>]*><\/rect>/, '')
    .replace(/ (?:class|pointer-events|ecmeta_ssr_type)="[^"]*"/g, '')
    .replace(/ style="([^"]*)"/g, (_, style: string) =>
      /font-weight:(bold|600)/.test(style) ? ' font-weight="600"' : '',
    )
    .replace(/(id="|url\(#)zr\d+-/g, `$1${id}-`)
    .replaceAll('\n', '');
}

const MARK = /<path ([^>]*?)ecmeta_series_index="(\d+)" ecmeta_data_index="(\d+)"([^>]*)><\/path>/g;

function titled(svg: string, markTitle: Chart['markTitle']): string {
  return svg.replace(MARK, (_, before: string, series: string, index: string, after: string) => {
    const title = markTitle?.(Number(series), Number(index)) ?? '';
    const element = title === '' ? '' : `<title>${escapeHtml(plainText(title))}</title>`;
    return `<path ${before.trimEnd()}${after}>${element}</path>`;
  });
}
