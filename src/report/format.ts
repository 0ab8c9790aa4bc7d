import type { Report } from '../audit/report.ts';
import type { FailedModel, ModelSummary } from './model-summary.ts';
import type { Grouping, Sort } from './rows.ts';

/** How a report is to be laid out: plain data. Formats take from it what concerns them. */
export interface Layout {
  /** Columns of the terminal; null where there is no limit (a pipe, a file). */
  readonly width: number | null;
  /** Levels of colour: none, 16, 256, millions. */
  readonly colour: 0 | 1 | 2 | 3;
  readonly sort: Sort;
  readonly grouping: Grouping;
  /** Every layer, however small. */
  readonly all: boolean;
  /** Models that the document is about: each has less room where there are many. */
  readonly models: number;
}

/** One model of a document. */
export type Entry =
  | { readonly model: ModelSummary; readonly section: string }
  | { readonly model: FailedModel; readonly section: null };

/** A document that grows model by model, so that no more than one report is held at a time. */
export interface Document {
  /** Takes the next model in; gives what can be written of the document now. */
  add(entry: Entry): string;
  /** The rest, once every model is in. */
  end(): Iterable<string>;
}

/** One way to write reports: a section for each model, and what makes one document of them. */
export interface Format {
  section(report: Report, layout: Layout): string | Promise<string>;
  document(layout: Layout): Document;
}
