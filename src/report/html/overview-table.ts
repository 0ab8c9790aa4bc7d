import { outcomeOf } from '../check-text.ts';
import type { Entry } from '../format.ts';
import { convertedAs } from '../model-summary.ts';
import { bytes, change, quantity } from '../units.ts';
import { html, type Markup } from './markup.ts';

/** All models of a page, each a link to its part. */
export function overviewTable(models: readonly Entry['model'][], idOf: (path: string) => string): Markup {
  const failed = models.filter(isFailed).length;
  const title = failed === 0 ? `${models.length} models audited.` : `${failed} of ${models.length} models failed.`;
  return html`<article>
<h1>${failed === 0 ? title : html`<span class="fail">${title}</span>`}</h1>
<div class="scroll" tabindex="0" role="region" aria-label="Overview"><table class="layers">
<thead><tr><th scope="col" class="name">${head('Model')}</th>${[...HEADS, `MACs ${convertedAs(models)}`].map((text) => html`<th scope="col" class="figure">${head(text)}</th>`)}</tr></thead>
<tbody>
${models.map((model) => row(model, idOf))}</tbody></table></div>
</article>
`;
}

const HEADS = ['Params', 'MACs', 'Weights', 'Peak memory'] as const;

const head = (text: string): Markup => html`<button type="button">${text}</button>`;

const isFailed = (model: Entry['model']): boolean =>
  model.failure !== null || model.checks.some((check) => outcomeOf(check) === 'fail');

function row(model: Entry['model'], idOf: (path: string) => string): Markup {
  if (model.failure !== null) {
    const blank = HEADS.map(() => html`<td class="figure" data-value=""></td>`);
    return html`<tr><th scope="row" class="name" title="${model.failure}">${model.path}</th><td class="figure fail" data-value="">cannot be used</td>${blank}</tr>\n`;
  }
  const { before, after, candidates, isLowerBound, peakActivationBytes } = model;
  const left = candidates === 0 || before.macs === null || after.macs === null ? null : change(before.macs, after.macs);
  const mark = isFailed(model) ? html` <span class="fail">budgets not held</span>` : null;
  return html`<tr><th scope="row" class="name"><a href="#${idOf(model.path)}">${model.path}</a>${mark}</th>${[
    figure(before.params, quantity(before.params)),
    figure(before.macs, (isLowerBound ? '≥ ' : '') + quantity(before.macs)),
    figure(before.weightBytes, bytes(before.weightBytes)),
    figure(peakActivationBytes, bytes(peakActivationBytes)),
    figure(before.macs === null || after.macs === null ? null : before.macs - after.macs, left ?? '–'),
  ]}</tr>\n`;
}

const figure = (value: number | null, text: string): Markup =>
  html`<td class="figure" data-value="${value ?? ''}">${text}</td>`;
