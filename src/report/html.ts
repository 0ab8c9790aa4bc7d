import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Document, Entry, Format, Layout } from './format.ts';
import { overviewTable } from './html/overview-table.ts';
import { closing, opening } from './html/page.ts';
import { renderSection } from './html/section.ts';

/** One self-contained page: charts drawn beforehand, no network, readable without its script. */
export const page: Format = {
  section: async (report, { models }) => (await renderSection(report, idOf(report.model.path), models)).text,
  document: pageDocument,
};

/** The same for the same path, so that an overview can link to its section. */
const idOf = (path: string): string => `m${createHash('sha256').update(path).digest('hex').slice(0, 12)}`;

/** The overview comes first: until it is known the sections wait, compressed to about a tenth. */
function pageDocument({ models }: Layout): Document {
  const entries: Entry['model'][] = [];
  const sections: Buffer[] = [];
  return {
    add({ model, section }) {
      entries.push(model);
      if (section !== null) sections.push(deflateRawSync(section));
      return '';
    },
    *end() {
      const [first] = entries;
      yield opening(models === 1 && first ? first.path : `${models} models`);
      if (models > 1) yield overviewTable(entries, idOf).text;
      for (const section of sections) yield inflateRawSync(section).toString();
      yield closing();
    },
  };
}
