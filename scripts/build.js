// Bundles the command line and the library into dist/, then writes the public type declarations beside them.
// Bundling keeps start-up to a few files, and leaves the published package without runtime dependencies.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { runtimeFingerprint } from './runtime-fingerprint.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

rmSync(join(root, 'dist'), { recursive: true, force: true });

const { metafile } = await build({
  metafile: true,
  absWorkingDir: root,
  entryPoints: {
    cli: 'src/cli/main.ts',
    index: 'src/index.ts',
    runtime: 'src/runtime/index.ts',
    'audit-thread': 'src/cli/audit-thread.ts',
    'hdf5-thread': 'src/formats/keras/hdf5-thread.ts',
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  minifyWhitespace: true,
  // The HDF5 library carries its bytes in a string: escapes would double it.
  charset: 'utf8',
  legalComments: 'none',
  define: {
    __DSC_AUDIT_VERSION__: JSON.stringify(version),
    __DSC_AUDIT_THREAD__: JSON.stringify('./audit-thread.js'),
    __DSC_AUDIT_HDF5_THREAD__: JSON.stringify('./hdf5-thread.js'),
    __DSC_AUDIT_RUNTIME__: JSON.stringify(await runtimeFingerprint()),
  },
  // CommonJS packages inside an ESM bundle still ask for `require` to reach Node's own modules.
  banner: {
    js: "import{createRequire as $createRequire}from'node:module';const require=$createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});

writeFileSync(join(root, 'THIRD-PARTY-LICENSES.txt'), licences(Object.keys(metafile.inputs)));

const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });

/** The licences of the packages that the bundle contains, as they ask to be passed on. */
function licences(inputs) {
  const packages = new Set(inputs.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean));
  return [...packages]
    .sort()
    .map(licenceOf)
    .join(`\n${'-'.repeat(78)}\n\n`);
}

function licenceOf(name) {
  const folder = join(root, 'node_modules', name);
  const { version: packageVersion, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? readFileSync(join(folder, file), 'utf8') : `${license}\n`;
  return `${name} ${packageVersion} (${license})\n\n${text}`;
}
