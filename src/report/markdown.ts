import type { Comparison, GateCheck, Report } from '../audit/report.ts';
import { modelNotes, notesOfCall } from './call-notes.ts';
import { type CheckOutcome, outcomeOf, relationOf, subjectOf } from './check-text.ts';
import { comparedTotals, type TotalName } from './compared-totals.ts';
import { changeLines } from './comparison-markdown.ts';
import type { Document, Entry, Format, Layout } from './format.ts';
import { FORMAT_NAMES } from './format-names.ts';
import { html } from './html/markup.ts';
import { layerCounts } from './layer-counts.ts';
import { lowerBounds } from './lower-bounds.ts';
import { code, codeBlock, codeCell, details, type Head, markdownTable, tableRow } from './markdown-text.ts';
import { type OverviewColumn, overviewColumns } from './overview-columns.ts';
import { nameOf, type Row, rowsOf, SORTS, whatOf } from './rows.ts';
import { type Stage, stagesOf } from './stages.ts';
import { type StrategyRow, strategyTables } from './strategy-rows.ts';
import { couldBecome, couldNotBecome, STRATEGY_WORDS } from './strategy-text.ts';
import { bytes, change, changeBetween, latency, milliseconds, percent, quantity, shapeText, share } from './units.ts';

/** For a comment on a pull request, and for the summary of a CI job. */
export const markdown: Format = {
  section: renderMarkdown,
  document: markdownDocument,
};

/** GitHub takes 65,536 characters for a comment; counted in bytes, with room for a marker around it. */
const MAX_BYTES = 64_000;

/** What a model has at least, where many share a comment. */
const MIN_BYTES_A_MODEL = 3_000;

const byteLength = (text: string): number => Buffer.byteLength(text);

function renderMarkdown(report: Report, layout: Layout): string {
  const room = layout.models === 1 ? MAX_BYTES : Math.max(MIN_BYTES_A_MODEL, (0.8 * MAX_BYTES) / layout.models);
  const head = [
    `### ${headline(report)}`,
    ...block(checkLines(report.gate.checks)),
    ...block(totalsLines(report)),
    ...block(boundLines(report)),
    ...block(candidateLines(report)),
    ...block(strategyLines(report)),
    ...block(baselineLines(report.baseline)),
  ];
  const foot = ['', `<sub>${footer(report)}</sub>`, ''];
  const parts = [...head, ...block(noteLines(layout.models === 1 ? report.diagnostics : modelNotes(report)))];
  const left = room - byteLength([...parts, ...foot].join('\n'));
  return [...parts, ...block(layerLines(report, layout, left)), ...foot].join('\n');
}

const block = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : ['', ...lines]);

const SIGNS: Readonly<Record<CheckOutcome, string>> = { pass: '✅', warn: '⚠️', fail: '❌' };

function headline(report: Report): string {
  const { model, gate, dsc, totals } = report;
  const name = code(model.path);
  const outcomes = gate.checks.map(outcomeOf);
  const failed = outcomes.filter((outcome) => outcome === 'fail').length;
  if (failed > 0) return `${SIGNS.fail} ${name}: ${failed} of ${outcomes.length} budgets not held`;
  if (outcomes.length > 0) {
    const warned = outcomes.filter((outcome) => outcome === 'warn').length;
    if (warned > 0) return `${SIGNS.warn} ${name}: ${warned} of ${outcomes.length} budgets not held, as a warning`;
    return `${SIGNS.pass} ${name}: ${outcomes.length === 1 ? 'the budget is' : `all ${outcomes.length} budgets are`} held`;
  }
  if (dsc.candidates.length === 0) return `${name}: ${lowered(couldNotBecome(report))}`;
  const { before, after } = dsc.projection;
  const saved =
    before.macs === null || after.macs === null || totals.isLowerBound
      ? ''
      : `, MACs ${change(before.macs, after.macs)}`;
  return `${name}: ${couldBecome(report)}${saved}`;
}

const lowered = (sentence: string): string => sentence.slice(0, 1).toLowerCase() + sentence.slice(1);

function checkLines(checks: readonly GateCheck[]): readonly string[] {
  if (checks.length === 0) return [];
  const rows = checks.map((check) => [
    SIGNS[outcomeOf(check)],
    `${subjectOf(check)}`,
    relationOf(check),
    check.reason === null ? '' : codeCell(check.reason),
  ]);
  const doubtful = checks.some(({ reason }) => reason !== null);
  const heads: readonly Head[] = [
    ['', 'left'],
    ['Budget', 'left'],
    ['Now and limit', 'right'],
    ['Why', 'left'],
  ];
  const width = doubtful ? heads.length : heads.length - 1;
  return markdownTable(
    heads.slice(0, width),
    rows.map((cells) => cells.slice(0, width)),
  );
}

/** Totals of the baseline where there is one, of now, and of the stages after that. */
function totalsLines(report: Report): readonly string[] {
  const { model, baseline, scaling } = report;
  const { params: ofParams, macs: ofMacs, latency: ofLatency } = lowerBounds(report);
  const [now, ...further] = stagesOf(report);
  if (now === undefined) return [];
  const compared = new Map((baseline === null ? [] : comparedTotals(baseline)).map((total) => [total.label, total]));
  const heads: readonly Head[] = [
    ['', 'left'],
    ...(baseline ? ([['Baseline', 'right']] as const) : []),
    ['Now', 'right'],
    ...(baseline ? ([['Change', 'right']] as const) : []),
    ...further.map(({ title }) => [title[0]?.toUpperCase() + title.slice(1), 'right'] as const),
    ...(further.length > 0 ? ([['Change', 'right']] as const) : []),
  ];
  const row = (label: string, text: FigureText, bound: string, pick: (stage: Stage) => Known, name: TotalName) => {
    const since = compared.get(name);
    const figures = further.map(pick);
    const first = pick(now);
    const told = (figure: Known) => (figure === null ? '' : bound + text(figure));
    return [
      label,
      ...(baseline ? [since?.before ?? text(null)] : []),
      first === null ? text(first) : since === undefined ? told(first) : bound + since.after.replace(/^≥ /, ''),
      ...(baseline ? [since?.change ?? ''] : []),
      ...figures.map(told),
      ...(further.length > 0 ? [changeText(first, figures.at(-1) ?? null, bound)] : []),
    ];
  };
  const rows = [
    row('Params', quantity, ofParams, ({ figures }) => figures.params, 'Params'),
    row('MACs', quantity, ofMacs, ({ figures }) => figures.macs, 'MACs'),
    row('FLOPs', quantity, ofMacs, ({ figures }) => figures.flops, 'FLOPs'),
    row('Weights', bytes, ofParams, ({ figures }) => figures.weightBytes, 'Weights'),
    row('Peak memory', bytes, '', ({ peak }) => peak, 'Peak memory'),
  ];
  const base = baseline?.before.fileBytes ?? null;
  const file = scaling === null ? model.fileBytes : null;
  if (file !== null || base !== null)
    rows.push(row('File', bytes, '', (stage) => (stage === now ? file : null), 'File'));
  if (now.figures.latencyMs !== null) {
    const timeOf = ({ figures }: Stage) => figures.latencyMs?.value ?? null;
    rows.push(row('Latency, projected', milliseconds, ofLatency, timeOf, 'Latency'));
  }
  return markdownTable(heads, rows);
}

type Known = number | null;
type FigureText = (value: Known) => string;

const changeText = (before: Known, after: Known, bound = ''): string =>
  before === null || after === null ? '' : changeBetween(before, after, bound);

function boundLines({ coverage: { nodes, counted, uncounted } }: Report): readonly string[] {
  if (counted === nodes) return [];
  const operators = uncounted.slice(0, 6).map(({ op, layers }) => `${code(op)} (${layers.length})`);
  const more = uncounted.length > operators.length ? ` and ${uncounted.length - operators.length} more` : '';
  return [
    `⚠️ ${counted} of ${nodes} nodes counted: totals are lower bounds. Not counted: ${operators.join(', ')}${more}.`,
  ];
}

const TOP_CANDIDATES = 5;

function candidateLines({ dsc: { candidates, strategy }, layers, totals }: Report): readonly string[] {
  const { as } = STRATEGY_WORDS[strategy];
  if (candidates.length === 0) return [];
  const held = candidates.some(({ approximation }) => approximation !== null);
  const timed = candidates.some(({ before, after }) => before.latencyMs !== null && after.latencyMs !== null);
  const rows = candidates.slice(0, TOP_CANDIDATES).map(({ index, layer, before, after, approximation }) => {
    const at = layers[index];
    return [
      codeCell(at ? nameOf(at) : layer),
      at ? codeCell(whatOf(at)) : '',
      `${quantity(before.macs)} → ${quantity(after.macs)}`,
      before.macs === null ? '' : percent(before.macs, totals.macs),
      `${quantity(before.params)} → ${quantity(after.params)}`,
      ...(held ? [approximation === null ? '' : share(approximation.energy)] : []),
      ...(timed
        ? [`${milliseconds(before.latencyMs?.value ?? null)} → ${milliseconds(after.latencyMs?.value ?? null)}`]
        : []),
    ];
  });
  const heads: readonly Head[] = [
    ['Top candidates', 'left'],
    ['Operator', 'left'],
    [`MACs ${as}`, 'right'],
    ['of all', 'right'],
    [`Params ${as}`, 'right'],
    ...(held ? ([['Energy', 'right']] as const) : []),
    ...(timed ? ([[`Latency ${as}`, 'right']] as const) : []),
  ];
  const more = candidates.length - rows.length;
  const rest = more > 0 ? ['', `and ${more} more ${more === 1 ? 'candidate' : 'candidates'}.`] : [];
  return [...markdownTable(heads, rows), ...rest];
}

/** Places that are set side by side; the JSON report has all. */
const MAX_PLACES = 20;

/** Every strategy, for the model and for each place. */
function strategyLines(report: Report): readonly string[] {
  if (report.strategies === null) return [];
  const { heads, model, places } = strategyTables(report.strategies, report);
  const columns = heads.map((head) => [head, 'right'] as const);
  const cells = ({ before, cells: own }: StrategyRow): readonly string[] => [
    before,
    ...own.map(({ text, isBest, isRejected }) => (isBest ? `**${text}**` : isRejected ? `~~${text}~~` : text)),
  ];
  const ofModel = markdownTable(
    [['Strategies', 'left'], ['Now', 'right'], ...columns],
    model.map((row) => [row.label, ...cells(row)]),
  );
  const rows = places
    .slice(0, MAX_PLACES)
    .flatMap(({ name, what, rows: own }) =>
      own.map((row, at) => [at === 0 ? codeCell(name) : '', at === 0 ? what : '', row.label, ...cells(row)]),
    );
  if (rows.length === 0) return ofModel;
  const more = places.length - MAX_PLACES;
  const heading: readonly Head[] = [
    ['Place', 'left'],
    ['', 'left'],
    ['', 'left'],
    ['Now', 'right'],
  ];
  return [
    ...ofModel,
    '',
    ...details('By block', [
      ...markdownTable([...heading, ...columns], rows),
      ...(more > 0 ? ['', `and ${more} more: the JSON report has all.`] : []),
      '',
      'Struck through: it would save nothing, and is no candidate.',
    ]),
  ];
}

function baselineLines(baseline: Comparison | null): readonly string[] {
  if (baseline === null) return [];
  const { counts, before } = baseline;
  const summary = `Layers since the baseline ${code(before.path)}: ${layerCounts(counts)}.`;
  return [summary, ...block(changeLines(baseline, MAX_CHANGES))];
}

/** Changes that are spelt out before the rest is only counted. */
const MAX_CHANGES = 20;

const counted = (amount: number, what: string): string =>
  amount === 0 ? '' : `${amount} ${what}${amount === 1 ? '' : 's'}`;

/** Diagnostics that are spelt out; the JSON report has all. */
const MAX_NOTES = 20;
const MAX_NOTE_LENGTH = 300;

function noteLines(diagnostics: Report['diagnostics']): readonly string[] {
  if (diagnostics.length === 0) return [];
  const warnings = diagnostics.filter(({ severity }) => severity === 'warning').length;
  const notes = diagnostics.length - warnings;
  const summary = [counted(warnings, 'warning'), counted(notes, 'note')].filter((text) => text !== '').join(', ');
  const lines = diagnostics.slice(0, MAX_NOTES).map(({ severity, message, layer }) => {
    const text = `${severity === 'warning' ? 'warning' : 'note'}: ${layer === null ? '' : `${layer}: `}${message}`;
    return text.length <= MAX_NOTE_LENGTH ? text : `${text.slice(0, MAX_NOTE_LENGTH)}…`;
  });
  if (diagnostics.length > lines.length)
    lines.push(`and ${diagnostics.length - lines.length} more: the JSON report has all.`);
  return details(summary, [codeBlock(lines)]);
}

const layerHeads = ({ dsc }: Report): readonly Head[] => [
  ['Layer', 'left'],
  ['Operator', 'left'],
  ['Output', 'left'],
  ['Params', 'right'],
  ['MACs', 'right'],
  ['', 'right'],
  [STRATEGY_WORDS[dsc.strategy].head, 'left'],
];

const WHAT = { layers: 'layers', blocks: 'blocks and layers', modules: 'modules' } as const;

/** Every layer, module or block, as far as there is room. */
function layerLines(report: Report, { sort, grouping }: Layout, room: number): readonly string[] {
  const rows = [...rowsOf(report, grouping)].sort(SORTS[sort]);
  const cut = (amount: number) =>
    `Cut here: ${amount} more of ${rows.length} do not fit into a comment. The JSON, CSV and HTML reports have all.`;
  const heads = layerHeads(report);
  const lines = [...markdownTable(heads, [])];
  const what = WHAT[typeof grouping === 'string' ? grouping : 'modules'];
  let left = room - byteLength(details(`All ${rows.length} ${what}`, [...lines, '', cut(rows.length), '']).join('\n'));
  for (const row of rows) {
    const line = tableRow(heads, layerCells(row, report));
    left -= byteLength(line) + 1;
    if (left < 0) break;
    lines.push(line);
  }
  const shown = lines.length - 2;
  if (shown <= 0) return rows.length === 0 ? [] : [cut(rows.length)];
  const summary = shown < rows.length ? `${shown} of ${rows.length} ${what}` : `All ${rows.length} ${what}`;
  return details(summary, shown < rows.length ? [...lines, '', cut(rows.length - shown)] : lines);
}

function layerCells({ name, what, output, params, macs, verdict }: Row, { totals }: Report): readonly string[] {
  return [
    codeCell(name),
    codeCell(what),
    codeCell(shapeText(output)),
    quantity(params),
    quantity(macs),
    macs === null || macs === 0 ? '' : percent(macs, totals.macs),
    verdict === null ? '' : verdictText(verdict, macs),
  ];
}

function verdictText({ reason, before, after }: NonNullable<Row['verdict']>, macs: Known): string {
  if (reason !== null) return reason;
  return macs === null || before === null || after === null ? 'candidate' : change(macs, macs - before + after);
}

function footer(report: Report): string {
  const { model, profile, tool, totals } = report;
  const inputs = model.inputs.slice(0, 4).map(({ name, shape }) => `${name} ${shapeText(shape)}`);
  const facts = [`dsc-audit ${tool.version}`, FORMAT_NAMES[model.format], ...inputs.map(inlineHtml)];
  if (profile !== null && totals.latencyMs !== null) {
    const { backend, threads, machine, source } = profile;
    const where = source === 'reference' ? 'the reference machine' : machine;
    facts.push(
      inlineHtml(
        `projected ${lowerBounds(report).latency}${latency(totals.latencyMs)} for ${backend}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${where}`,
      ),
    );
  }
  return facts.join(' · ');
}

const MAX_FACT_LENGTH = 160;

/** Text where markdown and HTML mix, none of it mine: as a code span, which neither reads. */
const inlineHtml = (text: string): string => code(text.slice(0, MAX_FACT_LENGTH));

/** One model as it is; several with an overview first, and each on a click. */
function markdownDocument(layout: Layout): Document {
  const entries: Entry[] = [];
  return {
    add(entry) {
      if (layout.models === 1) return entry.section ?? '';
      entries.push(entry);
      return '';
    },
    end: () => (layout.models === 1 ? [] : [overviewDocument(entries)]),
  };
}

function overviewDocument(entries: readonly Entry[]): string {
  const columns = overviewColumns(entries.map(({ model }) => model));
  const heads: readonly Head[] = [['', 'left'], ['Model', 'left'], ...columns.map(({ head }): Head => [head, 'right'])];
  const failed = entries.filter(({ model }) => worstOf(model) === 'fail').length;
  const title = `### ${entries.length} models audited${failed > 0 ? `: ${SIGNS.fail} ${failed} failed` : ''}`;
  const note = (what: string, amount: number) =>
    `\n${amount} more ${what} do not fit into a comment. The JSON, CSV and HTML reports have all.\n`;
  const parts = [`${[title, '', ...markdownTable(heads, [])].join('\n')}\n`];
  let left = MAX_BYTES - byteLength(parts.join('')) - 2 * byteLength(note('models', entries.length));
  const fits = (text: string): boolean => {
    if (byteLength(text) > left) return false;
    left -= byteLength(text);
    parts.push(text);
    return true;
  };
  const unfit = entries.findIndex((entry) => !fits(`${tableRow(heads, overviewCells(entry, columns))}\n`));
  if (unfit >= 0) parts.push(note('models', entries.length - unfit));
  const failures = entries.flatMap(({ model }) => (model.failure === null ? [] : [model.failure]));
  if (failures.length > 0) fits(`\n${codeBlock(failures.slice(0, MAX_NOTES))}\n`);
  const notes = noteLines(notesOfCall(entries.map(({ model }) => model)));
  if (notes.length > 0) fits(`\n${notes.join('\n')}\n`);
  const sections = entries.flatMap(({ model, section }) => (section === null ? [] : [{ path: model.path, section }]));
  const hidden = sections.findIndex(
    ({ path, section }) => !fits(`\n${details(html`<code>${path}</code>`.text, [section]).join('\n')}\n`),
  );
  if (hidden >= 0) parts.push(note('reports', sections.length - hidden));
  return parts.join('');
}

function worstOf(model: Entry['model']): CheckOutcome | null {
  if (model.failure !== null) return 'fail';
  const outcomes = model.checks.map(outcomeOf);
  return (['fail', 'warn', 'pass'] as const).find((outcome) => outcomes.includes(outcome)) ?? null;
}

function overviewCells({ model }: Entry, columns: readonly OverviewColumn[]): readonly string[] {
  const worst = worstOf(model);
  const sign = worst === null ? '' : SIGNS[worst];
  const figures =
    model.failure === null
      ? columns.map(({ text }) => text(model))
      : columns.map((_, column) => (column === 0 ? 'cannot be used' : ''));
  return [sign, codeCell(model.path), ...figures];
}
