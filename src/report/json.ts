import type { Report } from '../audit/report.ts';
import type { Document, Format } from './format.ts';

export function renderJson(report: Report): string {
  return jsonText(report);
}

/** Plain data as indented JSON that nothing but a parser acts upon. */
export function jsonText(data: object): string {
  return `${JSON.stringify(data, null, 2).replace(ACTED_UPON, escaped)}\n`;
}

/** What JSON may leave as it is, and a terminal or the runner of a CI job acts upon. */
const ACTED_UPON = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]|(?<=##)\[/gu;

/** The same text to whoever parses it. */
function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => {
    return `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
  }).join('');
}

/** One report as an object; several as a list, even if only one of them could be made. */
export const json: Format = {
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
