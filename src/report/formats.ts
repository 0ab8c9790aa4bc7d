import type { Format } from './format.ts';

/** How a format is found, and where its code is: only what a call writes is loaded. */
interface ListedFormat {
  /** What files of this format end with, the usual one first. None for what is only printed. */
  readonly endings: readonly `.${string}`[];
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

const isFormatName = (name: string): name is FormatName => Object.hasOwn(FORMATS, name);

export const FORMAT_NAMES: readonly FormatName[] = Object.keys(FORMATS).filter(isFormatName);

/** The format of a file by the ending of its name; null where no format has that ending. */
export function formatOfFile(path: string): FormatName | null {
  const name = path.toLowerCase();
  return FORMAT_NAMES.find((format) => FORMATS[format].endings.some((ending) => name.endsWith(ending))) ?? null;
}

/** All endings, as a message lists them. */
export const FILE_ENDINGS: readonly string[] = FORMAT_NAMES.flatMap((format) => FORMATS[format].endings);
