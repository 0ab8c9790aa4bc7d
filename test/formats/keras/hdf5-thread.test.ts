import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../../src/formats/byte-source.ts';
import { openInThread } from '../../../src/formats/keras/hdf5-in-thread.ts';
import { settleLimits } from '../../../src/formats/raisable-limits.ts';
import { DscAuditError } from '../../../src/ir/errors.ts';
import { runBinary } from '../../support/binary.ts';
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
});
