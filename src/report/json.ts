import type { Report } from '../audit/report.ts';
import type { Document, Format } from './format.ts';

export function renderJson(report: Report): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** One report as an object; several as a list, even if only one of them could be made. */
export const json: Format = {
  endings: ['.json'],
  section: renderJson,
  document: ({ models }) => (models === 1 ? objectDocument() : listDocument()),
};

const objectDocument = (): Document => ({ add: ({ section }) => section ?? '', end: () => [] });

function listDocument(): Document {
  let opening = '[\n';
  return {
    add({ section }) {
      if (section === null) return '';
      const text = opening + section.trimEnd().replaceAll(/^/gm, '  ');
      opening = ',\n';
      return text;
    },
    end: () => ['\n]\n'],
  };
}
