import { appendFile } from 'node:fs/promises';
import type { Document, Entry, Layout } from '../report/format.ts';
import { FORMATS, type FormatName } from '../report/formats.ts';
import { groupingOf, type OutputOptions } from './output-options.ts';
import { orCannotWrite, pendingFile } from './pending-file.ts';
import { colourLevel, type OutputStream, print, type Terminal, widthOf } from './terminal.ts';

/** A format with its layout: plain data, so that a thread can be asked for a section. */
export interface Rendering {
  readonly format: FormatName;
  readonly layout: Layout;
}

/** A place that a document goes to, as it grows. */
interface Sink {
  write(text: string): Promise<void>;
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/** Every place that the reports of a call go to. */
export interface Outputs {
  /** What each model has to be rendered as, in the order in which `add` takes the sections. */
  readonly renderings: readonly Rendering[];
  /** Writes the next model: its sections, or that it could not be audited. */
  add(model: Entry['model'], sections: readonly string[]): Promise<void>;
  /** Ends every document, and puts the files in place; where no model could be audited nothing is written. */
  finish(): Promise<void>;
  /** Leaves every file as it was. */
  discard(): Promise<void>;
}

/** Opens every output before the first model is read: what cannot be written is heard of at once. */
export async function openOutputs(options: OutputOptions, models: number, terminal: Terminal): Promise<Outputs> {
  const { sort, all = false, format } = options;
  const layout: Layout = { width: null, colour: 0, sort, grouping: groupingOf(options), all, models };
  const printed: Rendering = {
    format,
    layout: {
      ...layout,
      width: widthOf(terminal.stdout),
      colour: colourLevel(terminal.stdout, terminal.env, options.color),
    },
  };
  const files = options.output ?? [];
  const summary = format === 'github' ? terminal.env.GITHUB_STEP_SUMMARY : undefined;
  const renderings = [printed, ...files.map((file) => ({ format: file.format, layout }))];
  const sinks: Sink[] = [printing(terminal.stdout)];
  try {
    for (const { path } of files) sinks.push(await pendingFile(path));
    if (summary) {
      renderings.push({ format: 'markdown', layout });
      sinks.push(appending(summary));
    }
  } catch (error) {
    await Promise.all(sinks.map((sink) => sink.discard()));
    throw error;
  }
  return outputsOf(await documentsOf(renderings), sinks, renderings);
}

function documentsOf(renderings: readonly Rendering[]): Promise<readonly Document[]> {
  return Promise.all(renderings.map(async ({ format, layout }) => (await FORMATS[format].load()).document(layout)));
}

function outputsOf(documents: readonly Document[], sinks: readonly Sink[], renderings: readonly Rendering[]): Outputs {
  let audited = 0;
  const discard = async (): Promise<void> => {
    await Promise.all(sinks.map((sink) => sink.discard()));
  };
  const each = async (act: (document: Document, sink: Sink, index: number) => Promise<void>): Promise<void> => {
    for (const [index, document] of documents.entries()) {
      const sink = sinks[index];
      if (sink) await act(document, sink, index);
    }
  };
  return {
    renderings,
    discard,
    async add(model, sections) {
      if (model.failure === null) audited++;
      await each((document, sink, index) => {
        const section = sections[index] ?? '';
        return sink.write(document.add(model.failure === null ? { model, section } : { model, section: null }));
      });
    },
    async finish() {
      if (audited === 0) return discard();
      await each(async (document, sink) => {
        for (const text of document.end()) await sink.write(text);
        await sink.commit();
      });
    },
  };
}

function printing(stream: OutputStream): Sink {
  const nothing = async (): Promise<void> => undefined;
  return {
    write: async (text) => (text === '' ? undefined : print(stream, text)),
    commit: nothing,
    discard: nothing,
  };
}

/** Adds a document to a file that others write to as well, at once. */
function appending(path: string): Sink {
  const parts: string[] = [];
  return {
    write: async (text) => {
      parts.push(text);
    },
    commit: () => orCannotWrite(path, () => appendFile(path, parts.join(''))),
    discard: async () => undefined,
  };
}
