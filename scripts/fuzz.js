// Bundles the fuzzer and runs it; see test/fuzz/run.ts for what it takes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { runtimeFingerprint } from './runtime-fingerprint.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = mkdtempSync(join(tmpdir(), 'dsc-audit-fuzzer-'));
try {
  await build({
    entryPoints: { run: join(root, 'test/fuzz/run.ts'), thread: join(root, 'test/fuzz/thread.ts') },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    define: {
      __DSC_AUDIT_VERSION__: '"fuzzed"',
      __DSC_AUDIT_THREAD__: 'null',
      __DSC_AUDIT_HDF5_THREAD__: 'null',
      __DSC_AUDIT_RUNTIME__: JSON.stringify(await runtimeFingerprint()),
      'import.meta.dirname': JSON.stringify(join(root, 'test/support')),
    },
    alias: { 'string-width': './scripts/string-width.cjs' },
    banner: {
      js: "import{createRequire as $createRequire}from'node:module';const require=$createRequire(import.meta.url);",
    },
    absWorkingDir: root,
    logLevel: 'warning',
  });
  const { fuzz } = await import(pathToFileURL(join(folder, 'run.mjs')).href);
  process.exitCode = await fuzz(process.argv.slice(2), join(root, 'bin/dsc-audit.js'));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
