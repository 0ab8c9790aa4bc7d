import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../../src/formats/byte-source.ts';
import { openInThread } from '../../../src/formats/keras/hdf5-in-thread.ts';
import { loadLibrary } from '../../../src/formats/keras/hdf5-library.ts';
import { settleLimits } from '../../../src/formats/raisable-limits.ts';
import { DscAuditError } from '../../../src/ir/errors.ts';
import { BINARY, runBinary } from '../../support/binary.ts';
import { FIXTURES } from '../../support/models.ts';

const program = (text: string): URL => new URL(`data:text/javascript,${encodeURIComponent(text)}`);
/** Of nothing. */
const SHORT = settleLimits({ 'hdf5-time': 100 });
const READY = "import { parentPort } from 'node:worker_threads'; parentPort.postMessage('ready');";

describe('the thread that reads HDF5', () => {
  it('is ended where it does not come to an end by itself', async () => {
    const opened = openInThread(bytesSource([]), program(`${READY} for (;;);`), SHORT);
    await expect(opened).rejects.toThrow(/keeps the reader of HDF5 busy for more than 0 s/);
  });

  it('is heard of where it cannot begin', async () => {
    await expect(openInThread(bytesSource([]), program('process.exit(3)'), SHORT)).rejects.toThrow(
      /ended before it began/,
    );
  });

  it.each(['keras/seq_mix.h5', 'keras/parts.keras'])('reads %s, from a file and from a pipe', async (path) => {
    const file = join(FIXTURES, path);
    const options = ['--approximation', '--no-config', '--format', 'json'];
    const [fromFile, fromPipe] = await Promise.all([
      runBinary([file, ...options]),
      runBinary(['-', ...options], { stdin: readFileSync(file) }),
    ]);
    expect(fromFile.code, fromFile.err).toBe(0);
    expect(JSON.parse(fromPipe.out).layers).toEqual(JSON.parse(fromFile.out).layers);
  });

  it('says so where there is no memory for the library', async () => {
    const failing = program(
      "throw new RangeError('WebAssembly.instantiate(): Out of memory: Cannot allocate Wasm memory')",
    );
    const error = await openInThread(bytesSource([]), failing, SHORT).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DscAuditError);
    expect(error).toMatchObject({ code: 'limit-exceeded' });
  });

  it('takes no more memory than the file is worth', async () => {
    const done = await runBinary([join(FIXTURES, 'hostile/endless-allocation.h5'), '--no-config']);
    expect(done.code).toBe(2);
    expect(done.err).toMatch(/it is no valid HDF5 file, or damaged/);
  });

  it('tells of memory for the call that met its limit, and for no other', async () => {
    const limits = settleLimits({ 'hdf5-memory': 32 * 2 ** 20, 'hdf5-objects': 100 });
    const program = pathToFileURL(join(BINARY, '../../dist/hdf5-thread.js'));
    const { root, close } = await openInThread(bytesSource([await packedZeroes(2 ** 24)]), program, limits);
    try {
      expect(() => root.dataset('zeroes')?.data.read()).toThrow(/asks for more memory than its size allows/);
      expect(() => {
        for (let asked = 0; asked < 100; asked++) root.dataset('zeroes');
      }).toThrow(/holds more than 100 groups and weights/);
    } finally {
      close();
    }
  });
});

/** A file of less than 100 KB that holds so many zeroes. */
async function packedZeroes(count: number): Promise<Uint8Array> {
  const { library, FS } = await loadLibrary();
  const file = new library.File('zeroes.h5', 'w');
  const layout = { shape: [count], dtype: '<f4', chunks: [2 ** 20], compression: 9 };
  file.create_dataset({ name: 'zeroes', data: new Float32Array(count), ...layout });
  file.close();
  return FS.readFile('zeroes.h5');
}
