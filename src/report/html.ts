import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Document, Entry, Format, Layout } from './format.ts';
import { html } from './html/markup.ts';
import { overviewTable } from './html/overview-table.ts';
import { SCRIPT } from './html/script.ts';
import { renderSection } from './html/section.ts';
import { STYLE } from './html/style.ts';

/** One self-contained page: charts drawn beforehand, no network, readable without its script. */
export const page: Format = {
  section: async (report) => (await renderSection(report, idOf(report.model.path))).text,
  document: pageDocument,
};

/** The same for the same path, so that an overview can link to its section. */
const idOf = (path: string): string => `m${createHash('sha256').update(path).digest('hex').slice(0, 12)}`;

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Nothing is loaded, sent or run but the page's own style sheet and script. */
const policy = (): string =>
  [
    "default-src 'none'",
    `style-src ${hashOf(STYLE)}`,
    `script-src ${hashOf(SCRIPT)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');

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

function opening(title: string): string {
  const head = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title} – dsc-audit</title>
`;
  return `${head}<style>${STYLE}</style>\n</head>\n<body>\n<main>\n`;
}

const closing = (): string => `</main>\n<script>${SCRIPT}</script>\n</body>\n</html>\n`;
