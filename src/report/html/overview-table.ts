import { notesOfCall } from '../call-notes.ts';
import { outcomeOf } from '../check-text.ts';
import type { Entry } from '../format.ts';
import { type OverviewColumn, overviewColumns } from '../overview-columns.ts';
import { html, type Markup } from './markup.ts';
import { notes } from './section.ts';

/** All models of a page, each a link to its part. */
export function overviewTable(models: readonly Entry['model'][], idOf: (path: string) => string): Markup {
  const columns = overviewColumns(models);
  const failed = models.filter(isFailed).length;
  const title = failed === 0 ? `${models.length} models audited.` : `${failed} of ${models.length} models failed.`;
  return html`<article>
<h1>${failed === 0 ? title : html`<span class="fail">${title}</span>`}</h1>
<div class="scroll" tabindex="0" role="region" aria-label="Overview"><table class="layers">
<thead><tr><th scope="col" class="name">${head('Model')}</th>${columns.map((column) => html`<th scope="col" class="figure">${head(column.head)}</th>`)}</tr></thead>
<tbody>
${models.map((model) => row(model, columns, idOf))}</tbody></table></div>${notes(notesOfCall(models))}
</article>
`;
}

const head = (text: string): Markup => html`<button type="button">${text}</button>`;

const isFailed = (model: Entry['model']): boolean =>
  model.failure !== null || model.checks.some((check) => outcomeOf(check) === 'fail');

function row(model: Entry['model'], columns: readonly OverviewColumn[], idOf: (path: string) => string): Markup {
  if (model.failure !== null) {
    const blank = columns.slice(1).map(() => html`<td class="figure" data-value=""></td>`);
    return html`<tr><th scope="row" class="name" title="${model.failure}">${model.path}</th><td class="figure fail" data-value="">cannot be used</td>${blank}</tr>\n`;
  }
  const mark = isFailed(model) ? html` <span class="fail">budgets not held</span>` : null;
  const figures = columns.map(
    ({ value, text }) => html`<td class="figure" data-value="${value(model) ?? ''}">${text(model)}</td>`,
  );
  return html`<tr><th scope="row" class="name"><a href="#${idOf(model.path)}">${model.path}</a>${mark}</th>${figures}</tr>\n`;
}
