import type { Report } from '../../../audit/report.ts';
import { STRATEGY_WORDS } from '../../strategy-text.ts';
import { html, type Markup } from '../markup.ts';
import { type Chart, renderChart } from './chart.ts';
import { costBars } from './cost-bars.ts';
import { cumulativeSaving } from './cumulative-saving.ts';
import { memorySchedule } from './memory-schedule.ts';
import { hasTimes, roofline } from './roofline.ts';

interface Figure {
  readonly name: string;
  title(report: Report): string;
  /** How to read it. */
  note(report: Report): Markup;
  chart(report: Report, id: string): Chart | null;
}

const key = (name: string, text: string): Markup => html`<span class="key"><i class="${name}"></i>${text}</span>`;

/** Every chart of a report, in the order of the page. A chart that has nothing to show is left out. */
const FIGURES: readonly Figure[] = [
  {
    name: 'cost',
    title: () => 'Where the cost sits',
    note: ({ dsc }) =>
      dsc.candidates.length === 0
        ? html`<p class="keys">MACs of the costliest layers</p>`
        : html`<p class="keys">MACs ${key('dsc', `left ${STRATEGY_WORDS[dsc.strategy].as}`)}${key('saved', 'saved')}${key('kept', 'no candidate')}</p>`,
    chart: costBars,
  },
  {
    name: 'roofline',
    title: (report) => (hasTimes(report) ? 'Roofline' : 'Arithmetic intensity'),
    note: (report) => {
      const lines = hasTimes(report) ? 'dashed: the machine’s limits' : 'dashed: bytes moved';
      if (report.dsc.candidates.length === 0) return html`<p class="keys">Every layer; ${lines}</p>`;
      return html`<p class="keys">${key('now', 'candidate now')}${key('dsc', STRATEGY_WORDS[report.dsc.strategy].as)}${key('kept', 'other layers')}${lines}</p>`;
    },
    chart: roofline,
  },
  {
    name: 'saving',
    title: () => 'What each conversion adds',
    note: () => html`<p class="keys">Saved of the model, those that save most MACs first</p>`,
    chart: cumulativeSaving,
  },
  {
    name: 'memory',
    title: () => 'Memory over the schedule',
    note: () => html`<p class="keys">Bytes of activations alive while each layer runs</p>`,
    chart: memorySchedule,
  },
];

/** @param prefix distinct for each model of a page */
export function renderFigures(report: Report, prefix: string): Markup {
  const figures = FIGURES.flatMap(({ name, title, note, chart }) => {
    const drawn = chart(report, `${prefix}-${name}`);
    if (drawn === null) return [];
    return [
      html`<figure class="${name}"><figcaption><h3>${title(report)}</h3>${note(report)}</figcaption>${renderChart(drawn)}</figure>`,
    ];
  });
  return html`<div class="figures">${figures}</div>`;
}
