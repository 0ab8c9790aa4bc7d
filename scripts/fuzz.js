// Bundles the fuzzer and runs it; see test/fuzz/run.ts for what it takes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { bundleOptions, root } from './bundle-options.js';

const folder = mkdtempSync(join(tmpdir(), 'dsc-audit-fuzzer-'));
try {
  const options = await bundleOptions({ version: 'fuzzed' });
  await build({
    ...options,
    entryPoints: { run: 'test/fuzz/run.ts', thread: 'test/fuzz/thread.ts' },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    splitting: true,
    // Where the tests look for fixtures from.
    define: { ...options.define, 'import.meta.dirname': JSON.stringify(join(root, 'test/support')) },
  });
  const { fuzz } = await import(pathToFileURL(join(folder, 'run.mjs')).href);
  process.exitCode = await fuzz(process.argv.slice(2), join(root, 'bin/dsc-audit.js'));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
