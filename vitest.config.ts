import { defineConfig } from 'vitest/config';
// @ts-expect-error a plain script, shared with the build
import { definitions } from './scripts/bundle-options.js';

export default defineConfig({
  define: await definitions({ version: '0.0.0-test' }),
  test: { include: ['test/**/*.test.ts'], maxWorkers: '100%', testTimeout: 60_000, hookTimeout: 120_000 },
});
