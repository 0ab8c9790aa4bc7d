// What every bundle of the sources has in common.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runtimeFingerprint } from './runtime-fingerprint.js';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Values of the constants of src/globals.d.ts. Without files for its threads, a program does their work itself. */
export async function definitions({ version, auditThread = null, hdf5Thread = null }) {
  return {
    __DSC_AUDIT_VERSION__: JSON.stringify(version),
    __DSC_AUDIT_THREAD__: JSON.stringify(auditThread),
    __DSC_AUDIT_HDF5_THREAD__: JSON.stringify(hdf5Thread),
    __DSC_AUDIT_RUNTIME__: JSON.stringify(await runtimeFingerprint()),
  };
}

/** For esbuild: an ESM program for Node. */
export async function bundleOptions(constants) {
  return {
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    define: await definitions(constants),
    // CommonJS packages inside an ESM bundle still ask for `require` to reach Node's own modules.
    banner: {
      js: "import{createRequire as $createRequire}from'node:module';const require=$createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  };
}
