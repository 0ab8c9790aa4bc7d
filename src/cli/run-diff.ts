import { auditSource } from '../audit/audit.ts';
import { compare } from '../gate/compare.ts';
import type { MeasuredReport } from '../gate/measured-report.ts';
import { type ChosenProfile, chooseProfileHere } from '../latency/choose-profile.ts';
import type { ComparisonLayout } from '../report/comparison-format.ts';
import { COMPARISON_FORMATS, type ComparisonFormatName } from '../report/comparison-formats.ts';
import { bindingsOf, type ModelOptions } from './model-options.ts';
import { openModel } from './open-model.ts';
import { openReport } from './open-reports.ts';
import type { FileOutput } from './output-options.ts';
import { type PendingFile, pendingFile } from './pending-file.ts';
import { colourLevel, print, type Terminal, widthOf } from './terminal.ts';

export interface DiffOptions extends ModelOptions {
  readonly profile?: string;
  readonly format: ComparisonFormatName;
  readonly output?: readonly FileOutput<ComparisonFormatName>[];
  readonly all?: boolean;
  readonly color: boolean;
}

/** Compares two models, prints what they differ in, and writes it to the files that are asked for. */
export async function runDiff(before: string, after: string, options: DiffOptions, terminal: Terminal): Promise<void> {
  const { format, output = [], all = false, color } = options;
  const { stdout, env } = terminal;
  const files: PendingFile[] = [];
  try {
    for (const { path } of output) files.push(await pendingFile(path));
    const profile = await chooseProfileHere(options.profile, env);
    const one = await reportOf(before, options, profile, terminal);
    const other = await reportOf(after, options, profile, terminal);
    const comparison = compare(one, other);
    const write = async (name: ComparisonFormatName, layout: ComparisonLayout): Promise<string> =>
      (await COMPARISON_FORMATS[name].load())(comparison, other, layout);
    for (const [index, { format: name }] of output.entries()) {
      await files[index]?.write(await write(name, { width: null, colour: 0, all }));
    }
    await print(stdout, await write(format, { width: widthOf(stdout), colour: colourLevel(stdout, env, color), all }));
    for (const file of files) await file.commit();
  } catch (error) {
    await Promise.all(files.map((file) => file.discard()));
    throw error;
  }
}

async function reportOf(
  path: string,
  options: DiffOptions,
  profile: ChosenProfile | null,
  terminal: Terminal,
): Promise<MeasuredReport> {
  const report = path === '-' ? null : await openReport(path);
  return report ?? auditSource(await openModel(path, terminal), bindingsOf(options), { profile });
}
