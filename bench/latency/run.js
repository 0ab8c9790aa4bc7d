// Projected beside measured: whole networks that no calibration has timed, and what they become as DSCs.
// usage: node bench/latency/run.js [--profile file|reference] [--threads 1,2] [--seconds 180] [--models folder] [--only part-of-a-name] [-o page.md]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { bundleOptions } from '../../scripts/bundle-options.js';

const folder = mkdtempSync(join(tmpdir(), 'dsc-audit-validate-'));
try {
  await build({
    ...(await bundleOptions({ version: 'validation' })),
    entryPoints: { validate: 'bench/latency/validate.ts' },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
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
