import type { Comparison, GateCheck, Report } from '../../audit/report.ts';
import { modelNotes } from '../call-notes.ts';
import { type CheckOutcome, outcomeOf, relationOf, subjectOf } from '../check-text.ts';
import { FORMAT_NAMES } from '../format-names.ts';
import { layerCounts } from '../layer-counts.ts';
import { lowerBounds } from '../lower-bounds.ts';
import { type Stage, stagesOf } from '../stages.ts';
import { convolutionsOf, couldBecome, couldNotBecome, STRATEGY_WORDS } from '../strategy-text.ts';
import { bytes, changeBetween, latency, milliseconds, percent, quantity, shapeText } from '../units.ts';
import { changesTable, totalsTable } from './comparison-tables.ts';
import { layerTable } from './layer-table.ts';
import { html, type Markup } from './markup.ts';
import { strategyComparison } from './strategy-comparison.ts';

/** One model: the verdict, the totals, the charts, every layer, and what else is to be said. */
export async function renderSection(report: Report, id: string, models: number): Promise<Markup> {
  const { renderFigures } = await import('./charts/index.ts');
  return html`<article id="${id}">
${header(report)}
${checks(report.gate.checks)}
${tiles(report)}
${baseline(report.baseline)}
${renderFigures(report, id)}${strategyComparison(report)}
<h2>Layers</h2>
${layerTable(report)}
${notes(models === 1 ? report.diagnostics : modelNotes(report))}
${footer(report)}
</article>
`;
}

const OUTCOMES: Readonly<Record<CheckOutcome, string>> = { pass: 'held', warn: 'warning', fail: 'not held' };

function header(report: Report): Markup {
  const { model, coverage } = report;
  const opset = model.opsets[''];
  const facts = [FORMAT_NAMES[model.format], model.producer, opset === undefined ? null : `opset ${opset}`];
  const { nodes, counted, uncounted } = coverage;
  const bound =
    counted === nodes
      ? null
      : html`<p class="bound">${counted} of ${nodes} nodes counted: totals are lower bounds. Not counted: ${uncounted
          .slice(0, 6)
          .map(({ op, layers }) => `${op} (${layers.length})`)
          .join(', ')}${uncounted.length > 6 ? ` and ${uncounted.length - 6} more` : ''}.</p>`;
  return html`<header>
<p class="path"><b>${model.path}</b> ${facts.filter((fact) => fact !== null).join(' · ')}</p>
<h1>${verdict(report)}</h1>
<p class="lead">${lead(report)}</p>${bound}
</header>`;
}

function verdict(report: Report): Markup {
  const { gate, dsc } = report;
  const outcomes = gate.checks.map(outcomeOf);
  const broken = outcomes.filter((outcome) => outcome !== 'pass').length;
  if (broken > 0) {
    const isFailure = gate.status === 'fail';
    return html`<span class="${isFailure ? 'fail' : 'warn'}">${broken} of ${outcomes.length} budgets not held${isFailure ? '' : ', as a warning'}.</span>`;
  }
  if (outcomes.length > 0)
    return html`<span class="pass">${outcomes.length === 1 ? 'The budget is' : `All ${outcomes.length} budgets are`} held.</span>`;
  if (convolutionsOf(report).all === 0) return html`It has no convolutions.`;
  if (dsc.candidates.length === 0) return html`${couldNotBecome(report)}.`;
  return html`${couldBecome(report)}.`;
}

/** What the candidates come to, and why the other convolutions are none. */
function lead(report: Report): Markup {
  const { dsc, totals, gate } = report;
  const { candidates, rejected, projection } = dsc;
  const reasons = new Map<string, number>();
  for (const { reason } of rejected) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const kept = Array.from(reasons, ([reason, amount]) => `${amount} ${reason}`).join(', ');
  const left = kept === '' ? null : html` Left as they are: ${kept}.`;
  if (candidates.length === 0) return html`${left}`;
  const count = gate.checks.length === 0 ? '' : `${couldBecome(report)}. `;
  const share = percent(projection.convertibleMacs, totals.macs);
  const { before, after } = projection;
  const converted = candidates.filter(({ recommended }) => recommended).length;
  const which = converted === candidates.length ? 'all' : `the ${converted} that would not be slower`;
  const saved =
    converted === 0 || before.macs === null || after.macs === null
      ? ''
      : ` With ${which} converted, ${quantity(after.macs)} of ${quantity(before.macs)} are left.`;
  return html`${count}They hold ${share} of the MACs.${saved}${left}`;
}

function checks(list: readonly GateCheck[]): Markup | null {
  if (list.length === 0) return null;
  const rows = list.map((check) => {
    const outcome = outcomeOf(check);
    return html`<tr><td class="${outcome}">${OUTCOMES[outcome]}</td><th scope="row">${subjectOf(check)}</th><td class="figure">${relationOf(check)}</td><td>${check.reason}</td></tr>\n`;
  });
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Budgets"><table class="checks"><thead><tr><th scope="col"></th><th scope="col">Budget</th><th scope="col" class="figure">Now and limit</th><th scope="col"></th></tr></thead><tbody>
${rows}</tbody></table></div>`;
}

/** Totals as they are, and at the stages after that. */
function tiles(report: Report): Markup {
  const { model, scaling } = report;
  const atLeast = lowerBounds(report);
  const [now, ...further] = stagesOf(report);
  if (now === undefined) return html``;
  const tile = (label: string, text: FigureText, pick: (stage: Stage) => number | null, bound = ''): Markup => {
    const first = pick(now);
    const lines = further.map((stage) => {
      const then = pick(stage);
      if (then === null) return null;
      const difference = first === null ? '' : changeBetween(first, then, bound);
      return html`<dd class="then">${stage.title.replace('all as', 'as')} ${bound + text(then)} <b>${difference}</b></dd>`;
    });
    return html`<div><dt>${label}</dt><dd class="now">${first === null ? text(first) : bound + text(first)}</dd>${lines}</div>`;
  };
  const latencyOf = ({ figures }: Stage) => figures.latencyMs?.value ?? null;
  return html`<dl class="tiles">${[
    tile('Params', quantity, ({ figures }) => figures.params, atLeast.params),
    tile('MACs', quantity, ({ figures }) => figures.macs, atLeast.macs),
    tile('FLOPs', quantity, ({ figures }) => figures.flops, atLeast.macs),
    tile('Weights', bytes, ({ figures }) => figures.weightBytes, atLeast.params),
    now.figures.latencyMs === null ? null : tile('Latency, projected', milliseconds, latencyOf, atLeast.latency),
    tile('Peak memory', bytes, ({ peak }) => peak),
    model.fileBytes === null || scaling !== null
      ? null
      : tile('File', bytes, (stage) => (stage === now ? model.fileBytes : null)),
  ]}</dl>`;
}

type FigureText = (value: number | null) => string;

function baseline(comparison: Comparison | null): Markup | null {
  if (comparison === null) return null;
  const { before, counts } = comparison;
  return html`<h2>Since the baseline</h2>
<p>Compared with ${before.path}. Layers: ${layerCounts(counts)}.</p>
${totalsTable(comparison, 'Totals since the baseline', ['Baseline', 'Now'])}
${changesTable(comparison, false)}`;
}

/** Diagnostics that are spelt out; the JSON report has all. */
const MAX_NOTES = 100;

export function notes(diagnostics: Report['diagnostics']): Markup | null {
  if (diagnostics.length === 0) return null;
  const more = diagnostics.length - MAX_NOTES;
  const items = diagnostics
    .slice(0, MAX_NOTES)
    .map(
      ({ severity, message, layer }) =>
        html`<li class="${severity}"><b>${severity === 'warning' ? 'Warning' : 'Note'}</b> ${layer === null ? '' : `${layer}: `}${message}</li>\n`,
    );
  return html`<h2>Notes</h2>
<ul class="notes">
${items}${more > 0 ? html`<li>and ${more} more: the JSON report has all.</li>` : null}</ul>`;
}

function footer(report: Report): Markup {
  const { model, profile, totals, tool } = report;
  const tensors = (list: Report['model']['inputs']) =>
    list
      .slice(0, 4)
      .map(({ name, shape, dtype }) => `${name} ${shapeText(shape)} ${dtype ?? ''}`.trim())
      .join(', ');
  const projected =
    profile === null || totals.latencyMs === null
      ? null
      : html`<p>Latency is projected, not measured: ${lowerBounds(report).latency}${latency(totals.latencyMs)} on ${profile.machine}, ${profile.backend}, ${profile.threads} ${profile.threads === 1 ? 'thread' : 'threads'}, ${profile.source} profile of ${profile.calibratedAt.slice(0, 10)}, median error ${profile.error.medianPercent.toFixed(1)} % over ${profile.error.heldOut} layers that the fit never saw.</p>`;
  return html`<footer><p>In: ${tensors(model.inputs)}. Out: ${tensors(model.outputs)}.</p>${projected}<p>dsc-audit ${tool.version}. ${STRATEGY_WORDS[report.dsc.strategy].sentence}</p></footer>`;
}
