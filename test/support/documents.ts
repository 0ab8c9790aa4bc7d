import type { Report } from '../../src/audit/report.ts';
import type { Layout } from '../../src/report/format.ts';
import { FORMATS, type FormatName } from '../../src/report/formats.ts';
import { summaryOf } from '../../src/report/model-summary.ts';

const LAYOUT: Layout = { width: null, colour: 0, sort: 'order', grouping: 'layers', all: false, models: 1 };

/** Reports as one document, as a file gets it. */
export async function documentOf(
  format: FormatName,
  reports: readonly Report[],
  options: Partial<Layout> = {},
): Promise<string> {
  const layout = { ...LAYOUT, models: reports.length, ...options };
  const { document, section } = await FORMATS[format].load();
  const parts = document(layout);
  let text = '';
  for (const report of reports) text += parts.add({ model: summaryOf(report), section: await section(report, layout) });
  return text + [...parts.end()].join('');
}
