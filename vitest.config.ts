import { defineConfig } from 'vitest/config';

export default defineConfig({
  define: { __DSC_AUDIT_VERSION__: JSON.stringify('0.0.0-test'), __DSC_AUDIT_THREAD__: 'null' },
  test: { include: ['test/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 120_000 },
});
