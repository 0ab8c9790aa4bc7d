import { type ModelSource, modelBytes, modelFile } from '../formats/model-source.ts';
import type { Terminal } from './terminal.ts';

/** Opens the model that an argument names; `-` is standard input. */
export async function openModel(path: string, { stdin }: Pick<Terminal, 'stdin'>): Promise<ModelSource> {
  if (path !== '-') return modelFile(path);
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return modelBytes(path, chunks);
}
