import { Chalk } from 'chalk';
import { emitRecipe } from '../audit/emit-recipe.ts';
import { pathsIn, prepareRewrite, type RewriteOptions, UNNAMED } from '../audit/rewrite.ts';
import { checkOutput, checkOutputs, type OutputFile, writeFilesUnless } from '../formats/output-file.ts';
import { DscAuditError } from '../ir/errors.ts';
import { jsonText } from '../report/json.ts';
import { plainText } from '../report/plain-text.ts';
import { renderRewrite } from '../report/rewrite-table.ts';
import type { REWRITE_FORMATS } from './commands/rewrite.ts';
import { bindingsOf, type ModelOptions } from './model-options.ts';
import { openModel } from './open-model.ts';
import { progressLine } from './progress-line.ts';
import { colourLevel, print, type Terminal, widthOf } from './terminal.ts';

type RewriteFormat = (typeof REWRITE_FORMATS)[number];

export interface RewriteCommandOptions extends ModelOptions, Omit<RewriteOptions, 'dims' | 'shapes' | 'path'> {
  readonly output?: string;
  readonly emit?: readonly string[];
  readonly dryRun?: boolean;
  readonly format: RewriteFormat;
  readonly color: boolean;
}

const FORMATS = { table: renderRewrite, json: jsonText } as const satisfies Record<RewriteFormat, typeof renderRewrite>;

/** Writes the model with convolutions replaced, and the recipe; prints what was done. */
export async function runRewrite(path: string, options: RewriteCommandOptions, terminal: Terminal): Promise<void> {
  const { output = null, force = false, dryRun = false } = options;
  const recipe = recipePath(options.emit);
  if (output === null && recipe === null && !dryRun) {
    throw new DscAuditError('invalid-option', 'Say where to write the model: -o light.onnx.');
  }
  const inputs = [...(path === '-' ? [] : [path]), ...pathsIn(options)];
  if (!dryRun && output !== null) checkOutput(output, inputs, force);
  const line = progressLine(terminal.stderr, () => performance.now());
  const request = { ...options, ...bindingsOf(options) };
  const fitted = (layer: string) => line.show(`fitted ${plainText(layer)}`);
  const open = () => openModel(path, terminal);
  const rewritten = await prepareRewrite(open, output ?? UNNAMED, request, { env: terminal.env, fitted }).finally(
    line.clear,
  );
  let written: readonly string[] = [];
  try {
    if (!dryRun) {
      const files = [
        ...(output === null ? [] : rewritten.files),
        ...(recipe === null ? [] : emitRecipe(rewritten, recipe)),
      ];
      checkOutputs(files, [...inputs, ...rewritten.readFiles], force);
      await writeUnlessInterrupted(files, terminal);
      written = files.map((file) => file.path);
    }
  } finally {
    rewritten.close();
  }
  const report = dryRun || output === null ? { ...rewritten.report, written: null } : rewritten.report;
  const style = new Chalk({ level: colourLevel(terminal.stdout, terminal.env, options.color) });
  const layout = { style, width: widthOf(terminal.stdout) };
  await print(terminal.stdout, FORMATS[options.format](report, written, layout));
}

/** Until then nothing has to be cleared away: the process just ends. */
async function writeUnlessInterrupted(files: readonly OutputFile[], { onInterrupt }: Terminal): Promise<void> {
  const interruption = new AbortController();
  const stopListening = onInterrupt?.(() => interruption.abort());
  try {
    await writeFilesUnless(interruption.signal, files);
  } finally {
    stopListening?.();
  }
}

function recipePath(emit: readonly string[] | undefined): string | null {
  if (emit === undefined) return null;
  const [format, path, ...others] = emit;
  if (format === 'pytorch' && path?.endsWith('.py') && others.length === 0) return path;
  throw new DscAuditError('invalid-option', `Write --emit pytorch recipe.py, behind the model's name.`);
}
