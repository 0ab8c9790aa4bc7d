import { describe, expect, it } from 'vitest';
import { readNpz } from '../../../src/formats/samples/npy.ts';
import { zipBytes } from '../../support/zip.ts';

describe('an archive of arrays', () => {
  it('whose array cannot be as large as it is told to be is refused before it is unpacked', async () => {
    const array = { name: 'x.npy', data: new Uint8Array(400), deflated: true, told: { size: 4_000_000_000 } };
    await expect(readNpz('samples.npz', zipBytes([array]))).rejects.toThrow(/tells a size of 'x.npy' that cannot be/);
  });
});
