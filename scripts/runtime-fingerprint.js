// A fingerprint of what the runtime's code does: comments, names of files and white space do not count.
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

export async function runtimeFingerprint() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['src/latency/backends/builtin.ts'],
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
  });
  return createHash('sha256').update(outputFiles[0].contents).digest('hex').slice(0, 12);
}
