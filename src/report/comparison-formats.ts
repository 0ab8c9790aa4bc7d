import type { ComparisonFormat } from './comparison-format.ts';
import type { FileEndings } from './file-endings.ts';

interface ListedFormat extends FileEndings {
  load(): Promise<ComparisonFormat>;
}

/** Every format of `dsc-audit diff`, by the name that `--format` takes. */
export const COMPARISON_FORMATS = {
  table: { endings: ['.txt'], load: async () => (await import('./comparison.ts')).comparisonTable },
  json: { endings: ['.json'], load: async () => (await import('./comparison-json.ts')).comparisonJson },
  markdown: {
    endings: ['.md', '.markdown'],
    load: async () => (await import('./comparison-markdown.ts')).comparisonMarkdown,
  },
  html: { endings: ['.html', '.htm'], load: async () => (await import('./comparison-page.ts')).comparisonPage },
} as const satisfies Readonly<Record<string, ListedFormat>>;

export type ComparisonFormatName = keyof typeof COMPARISON_FORMATS;
