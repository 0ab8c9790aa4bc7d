import { defineConfig } from 'vitest/config';
// @ts-expect-error a plain script, shared with the build
import { runtimeFingerprint } from './scripts/runtime-fingerprint.js';

export default defineConfig({
  define: {
    __DSC_AUDIT_VERSION__: JSON.stringify('0.0.0-test'),
    __DSC_AUDIT_THREAD__: 'null',
    __DSC_AUDIT_HDF5_THREAD__: 'null',
    __DSC_AUDIT_RUNTIME__: JSON.stringify(await runtimeFingerprint()),
  },
  test: { include: ['test/**/*.test.ts'], maxWorkers: '100%', testTimeout: 60_000, hookTimeout: 120_000 },
});
