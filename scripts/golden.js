// Writes the golden files anew from today's output. Look at the difference before it is committed.
import { spawnSync } from 'node:child_process';

const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    'test/report/golden.test.ts',
    'test/gate/configuration-schema.test.ts',
    'test/docs/readme.test.ts',
    'test/docs/written-pages.test.ts',
  ],
  {
    stdio: 'inherit',
    env: { ...process.env, REWRITE_GOLDEN: '1' },
  },
);
process.exitCode = status ?? 1;
