import { appendFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Document, Entry, Layout } from '../report/format.ts';
import { FILE_ENDINGS, FORMAT_NAMES, FORMATS, type FormatName, formatOfFile } from '../report/formats.ts';
import { type Grouping, SORTS, type Sort } from '../report/rows.ts';
import { wholeNumber } from './option-values.ts';
import { orCannotWrite, pendingFile } from './pending-file.ts';
import { colourLevel, type OutputStream, print, type Terminal, widthOf } from './terminal.ts';

/** Options of every command that writes reports. */
export interface OutputOptions {
  readonly format: FormatName;
  readonly output?: readonly FileOutput[];
  readonly sort: Sort;
  readonly depth?: number;
  readonly blocks?: boolean;
  readonly all?: boolean;
  readonly color: boolean;
}

interface FileOutput {
  readonly path: string;
  readonly format: FormatName;
}

export function outputOptions(command: Command): Command {
  return command
    .optionsGroup('Output:')
    .addOption(new Option('--format <format>', 'how to print it').choices(FORMAT_NAMES).default('table'))
    .option('-o, --output <file>', 'write it to a file too, format by ending (repeatable)', collectFile)
    .addOption(new Option('--sort <by>', 'order of the layers').choices(Object.keys(SORTS)).default('order'))
    .option('--depth <n>', 'put layers together by module, n names deep', wholeNumber)
    .addOption(
      new Option('--blocks', 'put layers together by block: residual, inverted residual, Fire ...').conflicts('depth'),
    )
    .option('--all', 'show every layer')
    .option('--no-color', 'print without colour');
}

function collectFile(path: string, before: readonly FileOutput[] = []): readonly FileOutput[] {
  const format = formatOfFile(path);
  if (format === null) throw new InvalidArgumentError(`A report ends with ${FILE_ENDINGS.join(', ')}.`);
  if (before.some((file) => file.path === path)) throw new InvalidArgumentError('It is named twice.');
  return [...before, { path, format }];
}

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

function groupingOf({ depth, blocks }: OutputOptions): Grouping {
  if (blocks) return 'blocks';
  return depth === undefined ? 'layers' : { depth };
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
  return outputsOf(renderings, sinks);
}

function outputsOf(renderings: readonly Rendering[], sinks: readonly Sink[]): Outputs {
  const documents = renderings.map(({ format, layout }) => FORMATS[format].document(layout));
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
