// Bundles the command line and the library into dist/, then writes the public type declarations beside them.
// Bundling keeps start-up to a few files, and leaves the published package without runtime dependencies.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { bundleOptions, root } from './bundle-options.js';
import { thirdPartyLicences } from './licences.js';

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

rmSync(join(root, 'dist'), { recursive: true, force: true });

const { metafile } = await build({
  ...(await bundleOptions({ version, auditThread: './audit-thread.js', hdf5Thread: './hdf5-thread.js' })),
  metafile: true,
  entryPoints: {
    cli: 'src/cli/main.ts',
    index: 'src/index.ts',
    runtime: 'src/runtime/index.ts',
    'audit-thread': 'src/cli/audit-thread.ts',
    'hdf5-thread': 'src/formats/keras/hdf5-thread.ts',
  },
  outdir: 'dist',
  splitting: true,
  minifySyntax: true,
  minifyWhitespace: true,
  // The HDF5 library carries its bytes in a string: escapes would double it.
  charset: 'utf8',
  legalComments: 'none',
});

writeFileSync(join(root, 'THIRD-PARTY-LICENSES.txt'), thirdPartyLicences(root, Object.keys(metafile.inputs)));

const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
