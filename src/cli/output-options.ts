import { type Command, InvalidArgumentError, Option } from 'commander';
import { FILE_ENDINGS, FORMAT_NAMES, type FormatName, formatOfFile } from '../report/formats.ts';
import { type Grouping, SORTS, type Sort } from '../report/rows.ts';
import { wholeNumber } from './option-values.ts';

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

export interface FileOutput {
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

/** How layers are put together. */
export function groupingOf({ depth, blocks }: OutputOptions): Grouping {
  if (blocks) return 'blocks';
  return depth === undefined ? 'layers' : { depth };
}
