import { type ModelSource, modelBytes, modelFile } from '../formats/model-source.ts';
import { missingFile } from './missing-file.ts';
import type { Terminal } from './terminal.ts';

/**
 * Opens the model that an argument names; `-` is standard input.
 *
 * @param commands what else the argument may have been meant for
 */
export async function openModel(
  path: string,
  { stdin }: Pick<Terminal, 'stdin'>,
  commands: readonly string[] = [],
): Promise<ModelSource> {
  if (path !== '-') return openFile(path, commands);
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return modelBytes(path, chunks);
}

/** Opens a model file; where there is none, the error tells what the path may have been meant for. */
export async function openFile(path: string, commands: readonly string[]): Promise<ModelSource> {
  const missing = await missingFile(path, commands);
  if (missing !== null) throw missing;
  return modelFile(path);
}
