import { latencyNote } from './compared-totals.ts';
import type { ComparisonFormat } from './comparison-format.ts';
import { changesTable, totalsTable } from './html/comparison-tables.ts';
import { html } from './html/markup.ts';
import { closing, opening } from './html/page.ts';
import { layerCounts } from './layer-counts.ts';

/** Two models side by side, on one page. */
export const comparisonPage: ComparisonFormat = (comparison, { profile }) => {
  const { before, after, counts } = comparison;
  const body = html`<article>
<header>
<p class="path"><b>${before.path}</b> before, <b>${after.path}</b> after</p>
<h1>Layers: ${layerCounts(counts)}.</h1>
<p class="lead">${latencyNote(comparison, profile)}</p>
</header>
${totalsTable(comparison, 'Totals', ['Before', 'After'])}
${changesTable(comparison, true)}
<footer><p>dsc-audit ${__DSC_AUDIT_VERSION__}</p></footer>
</article>
`;
  return opening(`${before.path} → ${after.path}`) + body.text + closing();
};
