import type { Report } from '../../audit/report.ts';
import { type StrategyCell, type StrategyRow, strategyTables } from '../strategy-rows.ts';
import { html, type Markup } from './markup.ts';

/** Places that are set side by side; the JSON report has all. */
const MAX_PLACES = 200;

/** Every strategy, for the model and for each block. */
export function strategyComparison(report: Report): Markup | null {
  if (report.strategies === null) return null;
  const { heads, model, places } = strategyTables(report.strategies, report);
  const shown = places.slice(0, MAX_PLACES);
  const more = places.length - shown.length;
  const head = (first: string) =>
    html`<thead><tr><th scope="col" class="name">${first}</th><th scope="col"></th><th scope="col" class="figure">Now</th>${heads.map((text) => html`<th scope="col" class="figure">${text}</th>`)}</tr></thead>`;
  const body = shown.flatMap(({ name, what, rows }) =>
    rows.map((row, at) => rowMarkup(at === 0 ? html`${name} <span class="reason">${what}</span>` : html``, row)),
  );
  return html`
<h2>Strategies</h2>
<p class="keys">Bold: least. Struck through: it would save nothing, and is no candidate.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Strategies"><table class="checks">${head('Model')}<tbody>
${model.map((row) => rowMarkup(html``, row))}</tbody></table></div>
${
  shown.length === 0
    ? null
    : html`<details><summary>By block</summary><div class="scroll" tabindex="0" role="region" aria-label="Strategies by block"><table class="checks">${head('Block')}<tbody>
${body}</tbody></table></div>${more > 0 ? html`<p class="cut">and ${more} more: the JSON report has all.</p>` : null}</details>`
}`;
}

const rowMarkup = (name: Markup, { label, before, cells }: StrategyRow): Markup =>
  html`<tr><th scope="row">${name}</th><td>${label}</td><td class="figure">${before}</td>${cells.map(cellMarkup)}</tr>\n`;

function cellMarkup({ text, isBest, isRejected }: StrategyCell): Markup {
  const shown = isBest ? html`<b>${text}</b>` : isRejected ? html`<s>${text}</s>` : html`${text}`;
  return html`<td class="figure">${shown}</td>`;
}
