// Bundles one of these, and runs it.
//
// Projected beside measured: whole networks that no calibration has timed, and what they become as DSCs.
// usage: node bench/latency/run.js validate [--profile file|reference] [--threads 1,2] [--seconds 180] [--models folder] [--only part-of-a-name] [-o page.md]
//
// Forms of the cost model beside each other, on one sweep.
// usage: node bench/latency/run.js compare-forms [--seconds 120] [--keep samples.json] [--samples samples.json]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { bundleOptions } from '../../scripts/bundle-options.js';

const [name = 'validate', ...args] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'dsc-audit-validate-'));
try {
  await build({
    ...(await bundleOptions({ version: 'validation' })),
    entryPoints: { [name]: `bench/latency/${name}.ts` },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
  });
  const { main } = await import(pathToFileURL(join(folder, `${name}.mjs`)).href);
  await main(
    args,
    (text) => process.stdout.write(text),
    (line) => process.stderr.write(`${line}\n`),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
