import type { Comparison, LayerChange } from '../../audit/report.ts';
import { comparedTotals } from '../compared-totals.ts';
import { moved, quantity } from '../units.ts';
import { html, type Markup } from './markup.ts';

/** Totals of two models side by side, under these two titles. */
export function totalsTable(comparison: Comparison, label: string, [first, second]: readonly [string, string]): Markup {
  const rows = comparedTotals(comparison).map(
    (total) =>
      html`<tr><th scope="row">${total.label}</th><td class="figure">${total.before}</td><td class="figure">${total.after}</td><td class="figure">${total.change}</td></tr>\n`,
  );
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table class="checks"><thead><tr><th scope="col"></th><th scope="col" class="figure">${first}</th><th scope="col" class="figure">${second}</th><th scope="col" class="figure">Change</th></tr></thead><tbody>
${rows}</tbody></table></div>`;
}

/** Changes that are spelt out before the rest is only counted. */
const MAX_CHANGES = 200;

/** The layers that differ: at once, or on a click. */
export function changesTable({ layers }: Comparison, isOpen: boolean): Markup | null {
  if (layers.length === 0) return null;
  const more = layers.length - MAX_CHANGES;
  const cut = more > 0 ? html`<p class="cut">and ${more} more changes: the JSON report has all.</p>` : null;
  return html`<details${isOpen ? html` open` : null}><summary>What changed</summary><div class="scroll" tabindex="0" role="region" aria-label="Changed layers"><table class="checks"><tbody>
${layers.slice(0, MAX_CHANGES).map(changeRow)}</tbody></table></div>${cut}</details>`;
}

function changeRow({ status, before, after, op, params, macs }: LayerChange): Markup {
  const name = before !== null && after !== null && before !== after ? `${before} → ${after}` : (after ?? before);
  const figures = ({ before: was, after: is }: LayerChange['macs']) =>
    status !== 'changed' || was === is ? quantity(is ?? was) : moved(was, is);
  return html`<tr><td>${status}</td><th scope="row">${name}</th><td>${op}</td><td class="figure">${figures(params)}</td><td class="figure">${figures(macs)}</td></tr>\n`;
}
