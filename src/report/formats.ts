import { csv } from './csv.ts';
import type { Format } from './format.ts';
import { github } from './github.ts';
import { page } from './html.ts';
import { json } from './json.ts';
import { markdown } from './markdown.ts';
import { table } from './table.ts';

/** Every format, by the name that `--format` takes. */
export const FORMAT_NAMES = ['table', 'json', 'markdown', 'html', 'csv', 'github'] as const;

export type FormatName = (typeof FORMAT_NAMES)[number];

export const FORMATS: { readonly [Name in FormatName]: Format } = { table, json, markdown, html: page, csv, github };

/** The format of a file by the ending of its name; null where no format has that ending. */
export function formatOfFile(path: string): FormatName | null {
  const name = path.toLowerCase();
  return FORMAT_NAMES.find((format) => FORMATS[format].endings.some((ending) => name.endsWith(ending))) ?? null;
}

/** All endings, as a message lists them. */
export const FILE_ENDINGS: readonly string[] = FORMAT_NAMES.flatMap((format) => FORMATS[format].endings);
