import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { audit } from '../../src/audit/audit.ts';
import { DscAuditError } from '../../src/ir/errors.ts';
import { FIXTURES } from '../support/models.ts';

const folder = join(FIXTURES, 'hostile');

/** What broke the law once: `npm run fuzz` found it. (HDF5 is read in a thread of the bundle; its own test is there.) */
describe('a file that was found by the fuzzer', () => {
  it.each(readdirSync(folder).filter((name) => !name.endsWith('.h5')))(
    '%s gives a report or one clear error',
    async (name) => {
      const options = { profile: 'reference', approximation: true, training: true, memory: true };
      const outcome = await audit(join(folder, name), options).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(DscAuditError);
      else expect(outcome).toHaveProperty('schemaVersion');
    },
  );
});
