// Projected beside measured: whole networks that no calibration has timed, and what they become as DSCs.
// usage: node bench/latency/run.js [--profile file|reference] [--threads 1,2] [--seconds 180] [--models folder] [--only part-of-a-name] [-o page.md]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { runtimeFingerprint } from '../../scripts/runtime-fingerprint.js';

const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'dsc-audit-validate-'));
try {
  await build({
    entryPoints: { validate: join(here, 'validate.ts') },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    define: {
      __DSC_AUDIT_VERSION__: '"validation"',
      __DSC_AUDIT_HDF5_THREAD__: 'null',
      __DSC_AUDIT_RUNTIME__: JSON.stringify(await runtimeFingerprint()),
    },
    banner: {
      js: "import{createRequire as $createRequire}from'node:module';const require=$createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  const { validate } = await import(pathToFileURL(join(folder, 'validate.mjs')).href);
  await validate(
    process.argv.slice(2),
    (text) => process.stdout.write(text),
    (line) => process.stderr.write(`${line}\n`),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
