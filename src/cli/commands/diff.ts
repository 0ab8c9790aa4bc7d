import { type Command, Option } from 'commander';
import type { Comparison } from '../../audit/report.ts';
import type { MeasuredReport } from '../../gate/measured-report.ts';
import { bindingsOf, type ModelOptions, modelOptions } from '../model-options.ts';
import { openModel } from '../open-model.ts';
import { openReport } from '../open-reports.ts';
import { colourLevel, print, type Terminal, widthOf } from '../terminal.ts';

interface DiffOptions extends ModelOptions {
  readonly format: Format;
  readonly all?: boolean;
  readonly color: boolean;
}

type Render = (
  comparison: Comparison,
  after: MeasuredReport,
  options: DiffOptions,
  terminal: Terminal,
) => Promise<string>;

const FORMATS = {
  table: async (comparison, _after, { all = false, color }, { stdout, env }) => {
    const [{ Chalk }, { renderComparison }] = await Promise.all([
      import('chalk'),
      import('../../report/comparison.ts'),
    ]);
    const style = new Chalk({ level: colourLevel(stdout, env, color) });
    return renderComparison(comparison, { width: widthOf(stdout), all, style });
  },
  json: async (comparison, after) => {
    const { renderComparisonJson } = await import('../../report/comparison-json.ts');
    return renderComparisonJson(comparison, after);
  },
} as const satisfies Record<string, Render>;

type Format = keyof typeof FORMATS;

const EXAMPLES = `
Examples:
  dsc-audit diff old.onnx new.onnx            totals, and the layers that differ
  dsc-audit diff main.json new.onnx           against a report of --format json
  dsc-audit diff old.onnx new.onnx --dim N=8  with open dimensions bound in both`;

/** `dsc-audit diff`: two models, or reports of models, side by side. */
export function defineDiff(program: Command, terminal: Terminal): void {
  const command = program
    .command('diff')
    .summary('compare two models, or two JSON reports')
    .description('Compares two models: totals, and the layers that were added, removed and changed.')
    .argument('<before>', 'a model, or a report of --format json')
    .argument('<after>', 'a model, or a report of --format json');
  modelOptions(command)
    .optionsGroup('Output:')
    .addOption(new Option('--format <format>', 'how to print it').choices(Object.keys(FORMATS)).default('table'))
    .option('--all', 'show every layer that differs')
    .option('--no-color', 'print without colour')
    .addHelpText('after', EXAMPLES)
    .action(async (before: string, after: string, options: DiffOptions) => {
      const { compare } = await import('../../gate/compare.ts');
      const [one, other] = [await reportOf(before, options, terminal), await reportOf(after, options, terminal)];
      await print(terminal.stdout, await FORMATS[options.format](compare(one, other), other, options, terminal));
    });
}

async function reportOf(path: string, options: DiffOptions, terminal: Terminal): Promise<MeasuredReport> {
  const report = path === '-' ? null : await openReport(path);
  if (report !== null) return report;
  const { auditSource } = await import('../../audit/audit.ts');
  return auditSource(await openModel(path, terminal), bindingsOf(options));
}
