import { Chalk } from 'chalk';
import { type Command, Option } from 'commander';
import { auditSource } from '../../audit/audit.ts';
import type { Report } from '../../audit/report.ts';
import { DscAuditError } from '../../ir/errors.ts';
import { renderJson } from '../../report/json.ts';
import { SORTS, type Sort } from '../../report/rows.ts';
import { renderTable } from '../../report/table.ts';
import { bindingsOf, type ModelOptions, modelOptions } from '../model-options.ts';
import { openModel } from '../open-model.ts';
import { collectText, wholeNumber } from '../option-values.ts';
import { colourLevel, print, type Terminal, widthOf } from '../terminal.ts';

interface AuditCommandOptions extends ModelOptions {
  readonly format: Format;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly sort: Sort;
  readonly depth?: number;
  readonly all?: boolean;
  readonly color: boolean;
}

type Render = (reports: readonly Report[], options: AuditCommandOptions, terminal: Terminal) => string;

/** Every format that a report can be printed in. */
const FORMATS = {
  table: (reports, options, { stdout, env }) => {
    const style = new Chalk({ level: colourLevel(stdout, env, options.color) });
    const { sort, depth = null, all = false } = options;
    return reports.map((report) => renderTable(report, { width: widthOf(stdout), sort, depth, all, style })).join('\n');
  },
  json: renderJson,
} as const satisfies Record<string, Render>;

type Format = keyof typeof FORMATS;

const EXAMPLES = `
Examples:
  dsc-audit model.onnx                      its cost, and what could be a DSC
  dsc-audit model.onnx --depth 2            by module
  dsc-audit model.onnx --sort macs --all    every layer, costliest first
  dsc-audit model.onnx --shape 1x3x320x320  with open dimensions bound
  dsc-audit model.onnx --exclude layer4     leave a part of the model alone
  dsc-audit model.onnx --format json        for programs
  curl … | dsc-audit -                      from standard input

Exit codes:
  0 done · 1 a budget was exceeded · 2 the model or the command line cannot be
  used · 70 a bug in dsc-audit`;

/** The default command: audits models and prints their reports. */
export function defineAudit(program: Command, terminal: Terminal): void {
  modelOptions(program.argument('<model...>', 'model files (ONNX or Keras), or - for standard input'))
    .optionsGroup('Candidates:')
    .option(
      '--include <glob>',
      'consider these convolutions even if a default speaks against it (repeatable)',
      collectText,
    )
    .option('--exclude <glob>', 'leave these convolutions alone (layer or module, repeatable)', collectText)
    .optionsGroup('Output:')
    .addOption(new Option('--format <format>', 'how to print it').choices(Object.keys(FORMATS)).default('table'))
    .addOption(new Option('--sort <by>', 'order of the layers').choices(Object.keys(SORTS)).default('order'))
    .option('--depth <n>', 'put layers together by module, n names deep', wholeNumber)
    .option('--all', 'show every layer')
    .option('--no-color', 'print without colour')
    .addHelpText('after', EXAMPLES)
    .action(async (paths: readonly string[], options: AuditCommandOptions) => {
      const reports: Report[] = [];
      const failures: DscAuditError[] = [];
      for (const path of paths) {
        const outcome = await attempt(() => auditPath(path, options, terminal));
        if (outcome instanceof DscAuditError) failures.push(outcome);
        else reports.push(outcome);
      }
      if (reports.length > 0) await print(terminal.stdout, FORMATS[options.format](reports, options, terminal));
      if (failures.length > 0) throw new UnusableModels(failures);
    });
}

/** Models of a call that could not be audited; the others were. */
export class UnusableModels extends Error {
  readonly failures: readonly DscAuditError[];

  constructor(failures: readonly DscAuditError[]) {
    super(failures.map(({ message }) => message).join('; '));
    this.failures = failures;
  }
}

async function attempt<T>(audit: () => Promise<T>): Promise<T | DscAuditError> {
  try {
    return await audit();
  } catch (error) {
    if (error instanceof DscAuditError) return error;
    throw error;
  }
}

async function auditPath(path: string, options: AuditCommandOptions, terminal: Terminal): Promise<Report> {
  return auditSource(await openModel(path, terminal), {
    ...bindingsOf(options),
    include: options.include ?? [],
    exclude: options.exclude ?? [],
  });
}
