import { type Command, InvalidArgumentError, Option } from 'commander';
import { endingsOf, type FileEndings, formatOfFile } from '../report/file-endings.ts';
import { FORMAT_NAMES, FORMATS, type FormatName } from '../report/formats.ts';
import { type Grouping, SORTS, type Sort } from '../report/rows.ts';
import { wholeNumber } from './option-values.ts';

/** Options of every command that writes reports. */
export interface OutputOptions {
  readonly format: FormatName;
  readonly output?: readonly FileOutput<FormatName>[];
  readonly sort: Sort;
  readonly depth?: number;
  readonly blocks?: boolean;
  readonly all?: boolean;
  readonly color: boolean;
}

/** A file that is written beside what is printed. */
export interface FileOutput<Name extends string> {
  readonly path: string;
  readonly format: Name;
}

export function outputOptions(command: Command): Command {
  return command
    .optionsGroup('Output:')
    .addOption(new Option('--format <format>', 'how to print it').choices(FORMAT_NAMES).default('table'))
    .addOption(outputOption(FORMATS))
    .addOption(new Option('--sort <by>', 'order of the layers').choices(Object.keys(SORTS)).default('order'))
    .option('--depth <n>', 'put layers together by module, n names deep', wholeNumber)
    .addOption(
      new Option('--blocks', 'put layers together by block: residual, inverted residual, Fire ...').conflicts('depth'),
    )
    .option('--all', 'show every layer')
    .option('--no-color', 'print without colour');
}

/** `-o`, for files of these formats. */
export function outputOption<Name extends string>(formats: Readonly<Record<Name, FileEndings>>): Option {
  const collect = (path: string, before: readonly FileOutput<Name>[] = []) => {
    const format = formatOfFile(formats, path);
    if (format === null) throw new InvalidArgumentError(`A report ends with ${endingsOf(formats).join(', ')}.`);
    if (before.some((file) => file.path === path)) throw new InvalidArgumentError('It is named twice.');
    return [...before, { path, format }];
  };
  return new Option('-o, --output <file>', 'write it to a file too, format by ending (repeatable)').argParser(collect);
}

/** How layers are put together. */
export function groupingOf({ depth, blocks }: OutputOptions): Grouping {
  if (blocks) return 'blocks';
  return depth === undefined ? 'layers' : { depth };
}
