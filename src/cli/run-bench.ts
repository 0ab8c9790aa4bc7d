import { Chalk } from 'chalk';
import { analyseSource } from '../audit/analyse.ts';
import { benchModel } from '../audit/bench-model.ts';
import type { BenchReport } from '../audit/bench-report.ts';
import { DscAuditError } from '../ir/errors.ts';
import { chooseProfileHere } from '../latency/choose-profile.ts';
import { renderBenchTable } from '../report/bench-table.ts';
import { jsonText } from '../report/json.ts';
import type { BENCH_FORMATS } from './commands/bench.ts';
import { bindingsOf, type ModelOptions } from './model-options.ts';
import { openModel } from './open-model.ts';
import { progressLine } from './progress-line.ts';
import { colourLevel, print, type Terminal, widthOf } from './terminal.ts';

export interface BenchCommandOptions extends ModelOptions {
  readonly threads?: number;
  readonly runs: number;
  readonly exact?: boolean;
  readonly experimentalWideVectors?: boolean;
  readonly profile?: string;
  readonly format: BenchFormat;
  readonly all?: boolean;
  readonly color: boolean;
}

type BenchFormat = (typeof BENCH_FORMATS)[number];

type Render = (report: BenchReport, options: BenchCommandOptions, terminal: Terminal) => string;

const FORMATS = {
  table: (report, { all = false, color }, { stdout, env }) => {
    const style = new Chalk({ level: colourLevel(stdout, env, color) });
    return renderBenchTable(report, { width: widthOf(stdout), all, style });
  },
  json: jsonText,
} as const satisfies Record<BenchFormat, Render>;

/** Times a model on this machine, and prints what came of it. */
export async function runBench(path: string, options: BenchCommandOptions, terminal: Terminal): Promise<void> {
  const report = await benchPath(path, options, terminal);
  await print(terminal.stdout, FORMATS[options.format](report, options, terminal));
}

async function benchPath(path: string, options: BenchCommandOptions, terminal: Terminal): Promise<BenchReport> {
  const profile = await chooseProfileHere(options.profile, terminal.env);
  const analysis = await analyseSource(await openModel(path, terminal), bindingsOf(options));
  const now = (): number => performance.now();
  const line = progressLine(terminal.stderr, now);
  try {
    return await benchModel(analysis, options, {
      now,
      progress: (done, of) => line.show(`timing the layers: ${done} of ${of} runs`),
      profile,
    });
  } catch (error) {
    if (error instanceof DscAuditError) throw new DscAuditError(error.code, `${path}: ${error.message}`);
    throw error;
  } finally {
    line.clear();
    analysis.read.close();
  }
}
