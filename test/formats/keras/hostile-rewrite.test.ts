import { linkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import * as h5wasm from 'h5wasm';
import { describe, expect, it } from 'vitest';
import { audit } from '../../../src/audit/audit.ts';
import { rewrite } from '../../../src/audit/rewrite.ts';
import { DscAuditError } from '../../../src/ir/errors.ts';
import { conv2d, functional, jsonBytes } from '../../support/keras.ts';
import { rewriteInto, withFolder } from '../../support/rewriting.ts';
import { zipBytes } from '../../support/zip.ts';

const MODEL = functional({
  inputs: { x: [null, 8, 8, 16] },
  layers: [conv2d('conv', [['x']], { filters: 32 })],
  outputs: ['conv'],
});
const KERNEL = [3, 3, 16, 32];
/** Four bytes that tell nothing of one another. */
const pseudoRandom = (seed: number): Uint8Array =>
  new Uint8Array(Float32Array.of(Math.fround(Math.sin(seed * 12.9898) * 43758.5453) % 1).buffer);

const floats = (count: number): Float32Array => Float32Array.from({ length: count }, (_, index) => Math.sin(index));

let made = 0;

async function hdf5Bytes(fill: (file: h5wasm.File) => void): Promise<Uint8Array> {
  const { FS } = await h5wasm.ready;
  const name = `made-by-test-${++made}`;
  const file = new h5wasm.File(name, 'w');
  fill(file);
  file.close();
  return FS.readFile(name);
}

function addConv(file: h5wasm.File): void {
  const vars = file.create_group('layers').create_group('conv2d').create_group('vars');
  vars.create_dataset({ name: '0', data: floats(3 * 3 * 16 * 32), shape: KERNEL, dtype: '<f' });
  vars.create_dataset({ name: '1', data: floats(32), shape: [32], dtype: '<f' });
}

const entriesOf = async (weights: Uint8Array | null = null, metadata = '{}') => ({
  'metadata.json': jsonBytes(metadata),
  'config.json': jsonBytes(MODEL),
  'model.weights.h5': weights ?? (await hdf5Bytes(addConv)),
});

/** The sentence that a rewrite ends with. */
async function refusal(model: Uint8Array): Promise<string> {
  const error = await withFolder((folder) => rewriteInto(folder, model)).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DscAuditError);
  return error instanceof DscAuditError ? error.message : '';
}

describe('HDF5 weights', () => {
  it('whose links stand for far more than the file holds are refused', { timeout: 60_000 }, async () => {
    const weights = await hdf5Bytes((file) => {
      addConv(file);
      const group = file.create_group('linked');
      const shape = [2 ** 23];
      const data = new Float32Array(2 ** 23);
      group.create_dataset({ name: 'zeros', data, shape, dtype: '<f', chunks: [2 ** 20], compression: 9 });
      for (let link = 0; link < 20; link++) group.create_hard_link('/linked/zeros', `link${link}`);
    });
    expect(await refusal(zipSync(await entriesOf(weights), { level: 0 }))).toMatch(/all links followed/);
  });

  it('that name a weight twice are refused', async () => {
    const model = await hdf5Bytes((file) => {
      file.create_attribute('model_config', JSON.stringify(MODEL), [], 'S');
      const layer = file.create_group('model_weights').create_group('conv');
      const names = ['conv/kernel:0', 'conv/bias:0', 'other/w:0', 'other/w:0'];
      layer.create_attribute('weight_names', names, [names.length], 'S13');
      const group = layer.create_group('conv');
      group.create_dataset({ name: 'kernel:0', data: floats(3 * 3 * 16 * 32), shape: KERNEL, dtype: '<f' });
      group.create_dataset({ name: 'bias:0', data: floats(32), shape: [32], dtype: '<f' });
      layer.create_group('other').create_dataset({ name: 'w:0', data: floats(3), shape: [3], dtype: '<f' });
    });
    expect(await refusal(model)).toMatch(/name is taken/);
  });
});

describe('a zip archive', () => {
  it('whose files share bytes is refused', async () => {
    const entries = Object.entries(await entriesOf()).map(([name, data]) => ({ name, data }));
    const zeros = { name: 'a', data: new Uint8Array(10_000), deflated: true };
    const start = Buffer.from(zipBytes(entries)).indexOf('PK\u0001\u0002');
    expect(await refusal(zipBytes([...entries, zeros, { ...zeros, name: 'b', told: { offset: start } }]))).toMatch(
      /share bytes/,
    );
  });

  it('that unpacks to far more than it holds is refused', async () => {
    const entries = Object.entries(await entriesOf()).map(([name, data]) => ({ name, data }));
    // Deflate makes them 1000 times smaller.
    const zeros = { data: new Uint8Array(70 * 2 ** 20), deflated: true };
    const many = ['a', 'b', 'c', 'd'].map((name) => ({ ...zeros, name }));
    expect(await refusal(zipBytes([...entries, ...many]))).toMatch(/unpacked, far more/);
  });

  it('whose weights are almost all zeroes is rewritten, however small deflate makes it', async () => {
    const pruned = new Uint8Array(90 * 2 ** 20);
    for (let at = 0; at < pruned.length; at += 160) pruned.set(pseudoRandom(at), at);
    const entries = Object.entries(await entriesOf()).map(([name, data]) => ({ name, data }));
    const many = ['a', 'b', 'c', 'd'].map((name) => ({ name, data: pruned, deflated: true }));
    const model = zipBytes([...entries, ...many]);
    expect((4 * pruned.length) / model.length).toBeGreaterThan(20);
    await withFolder(async (folder) => {
      const { bytes } = await rewriteInto(folder, model);
      expect(unzipSync(bytes).d?.length).toBe(pruned.length);
    });
  }, 60_000);

  it.each([
    ['an object already has', '__proto__'],
    ['is too long to be written', '\u{fffd}'.repeat(22_000)],
  ])('with a file whose name %s is refused', async (_, name) => {
    const entries = Object.entries(await entriesOf()).map(([key, data]) => ({ name: key, data }));
    // A byte that is no UTF-8 is read as a character of three bytes.
    const bytes = zipBytes([...entries, { name: 'x'.repeat(name.length), data: new Uint8Array(3) }]);
    const patched = Buffer.from(bytes)
      .toString('latin1')
      .replaceAll('x'.repeat(name.length), name.replaceAll('\u{fffd}', '\xff'));
    expect(await refusal(Buffer.from(patched, 'latin1'))).toMatch(/cannot be kept/);
  });

  it.each(['[]', '3', '"x"', 'null'])('keeps metadata that is no object: %s', async (metadata) => {
    await withFolder(async (folder) => {
      const { bytes } = await rewriteInto(folder, zipSync(await entriesOf(null, metadata)));
      expect(Buffer.from(unzipSync(bytes)['metadata.json'] ?? []).toString()).toBe(metadata);
    });
  });
});

describe('a TensorFlow.js manifest', () => {
  const WEIGHTS = [
    { name: 'conv/kernel', shape: KERNEL, dtype: 'float32' },
    { name: 'conv/bias', shape: [32], dtype: 'float32' },
  ];

  const written = (weightsManifest: unknown, link: typeof symlinkSync | null = null) =>
    withFolder(async (folder) => {
      const path = join(folder, 'model.json');
      const model = { format: 'layers-model', modelTopology: { model_config: MODEL }, weightsManifest };
      writeFileSync(path, JSON.stringify(model));
      writeFileSync(join(folder, 'w.bin'), new Uint8Array(floats(3 * 3 * 16 * 32 + 32).buffer));
      link?.(join(folder, 'w.bin'), join(folder, 'linked.bin'));
      await audit(path, { profile: 'none' });
      await rewrite(path, join(folder, 'light.json'), { profile: 'none' });
    });

  it('that names a file twice is refused', async () => {
    const again = { paths: ['./w.bin'], weights: [{ name: 'other', shape: [32], dtype: 'float32' }] };
    await written([{ paths: ['w.bin'], weights: WEIGHTS }]);
    await expect(written([{ paths: ['w.bin'], weights: WEIGHTS }, again])).rejects.toThrow(/names the file .* twice/);
  });

  it.skipIf(process.platform === 'win32').each([
    ['symbolic', symlinkSync],
    ['hard', linkSync],
  ] as const)('that names a file under two names, by a %s link, is refused', async (_, link) => {
    const again = { paths: ['linked.bin'], weights: [{ name: 'other', shape: [32], dtype: 'float32' }] };
    const manifest = [{ paths: ['w.bin'], weights: WEIGHTS }, again];
    await expect(written(manifest, link)).rejects.toThrow(/names the file 'linked.bin' twice/);
  });

  it.each(['scale', 'min'])("whose 'quantization' has no number for '%s' is refused", async (key) => {
    const quantization = { dtype: 'uint8', scale: 1, min: 0, [key]: { toString: 1, valueOf: 1 } };
    const weights = WEIGHTS.map((weight) => ({ ...weight, quantization }));
    await expect(written([{ paths: ['w.bin'], weights }])).rejects.toThrow(/'quantization' of weight 'conv.kernel'/);
  });
});
