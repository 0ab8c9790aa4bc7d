import { type FileEndings, namesOf } from './file-endings.ts';
import type { Format } from './format.ts';

/** How a format is found, and where its code is: only what a call writes is loaded. */
interface ListedFormat extends FileEndings {
  load(): Promise<Format>;
}

/** Every format, by the name that `--format` takes. */
export const FORMATS = {
  table: { endings: ['.txt'], load: async () => (await import('./table.ts')).table },
  json: { endings: ['.json'], load: async () => (await import('./json.ts')).json },
  markdown: { endings: ['.md', '.markdown'], load: async () => (await import('./markdown.ts')).markdown },
  html: { endings: ['.html', '.htm'], load: async () => (await import('./html.ts')).page },
  csv: { endings: ['.csv'], load: async () => (await import('./csv.ts')).csv },
  github: { endings: [], load: async () => (await import('./github.ts')).github },
} as const satisfies Readonly<Record<string, ListedFormat>>;

export type FormatName = keyof typeof FORMATS;

export const FORMAT_NAMES: readonly FormatName[] = namesOf(FORMATS);
