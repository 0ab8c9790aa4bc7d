/** Sample inputs of a model, from the files that people have them in. */
import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { byteSize, type DType } from '../../ir/dtype.ts';
import { DscAuditError } from '../../ir/errors.ts';
import { countElements } from '../../ir/extents.ts';
import { fileSource, readExactly } from '../byte-source.ts';
import { readTensorFile } from '../onnx/tensor-file.ts';
import { type NumberArray, numberArray } from './array.ts';
import { readNpy, readNpz } from './npy.ts';

/** An input of the model that samples are for. The first axis is the batch. */
export interface SampleInput {
  readonly name: string;
  readonly dtype: DType | null;
  readonly shape: readonly number[];
}

/** Items for every input, one after the other. */
export interface Samples {
  readonly count: number;
  readonly inputs: ReadonlyMap<string, Float32Array>;
}

/**
 * Reads samples: a `.npy` array, a `.npz` archive with an array an input, a folder of ONNX tensors (`.pb`, or folders
 * with `input_0.pb` and so on), or anything else as raw, little-endian elements of the input's type. Throws
 * `cannot-read`.
 */
export async function readSamples(path: string, inputs: readonly SampleInput[]): Promise<Samples> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    return joinItems(path, readFolder(path, inputs), inputs);
  const bytes = readWhole(path);
  if (path.endsWith('.npz')) return joinItems(path, [byInput(path, await readNpz(path, bytes), inputs)], inputs);
  const [only] = inputs;
  if (!only || inputs.length > 1) {
    throw unreadable(path, `the model has ${inputs.length} inputs: give a .npz with an array for each, by name`);
  }
  const array = path.endsWith('.npy') ? readNpy(path, bytes) : rawArray(path, bytes, only);
  return joinItems(path, [new Map([[only.name, array]])], inputs);
}

/** Class numbers, one an item: a `.npy` array, or raw little-endian integers whose width follows from the file's size. */
export function readLabels(path: string, count: number): Int32Array {
  const bytes = readWhole(path);
  const width = bytes.length / count;
  const dtype = Object.hasOwn(LABEL_TYPES, width) ? LABEL_TYPES[width] : undefined;
  if (!path.endsWith('.npy') && dtype === undefined) {
    throw unreadable(path, `${bytes.length} bytes are no labels of ${count} items, of 1, 2, 4 or 8 bytes each`);
  }
  const { data } = path.endsWith('.npy') ? readNpy(path, bytes) : numberArray(path, dtype ?? 'uint8', [count], bytes);
  if (data.length !== count) throw unreadable(path, `holds ${data.length} labels for ${count} items`);
  return Int32Array.from(data);
}

const LABEL_TYPES: Readonly<Record<number, DType>> = { 1: 'uint8', 2: 'uint16', 4: 'int32', 8: 'int64' };

function readWhole(path: string): Uint8Array {
  const file = fileSource(path);
  try {
    return readExactly(file, 0, file.size);
  } finally {
    file.close();
  }
}

/** The items follow from the file's size. */
function rawArray(path: string, bytes: Uint8Array, { dtype, shape }: SampleInput): NumberArray {
  const type = dtype ?? 'float32';
  const item = shape.slice(1);
  const itemBytes = byteSize(type, countElements(item));
  if (itemBytes === 0 || bytes.length === 0 || bytes.length % itemBytes !== 0) {
    throw unreadable(
      path,
      `${bytes.length} bytes are no whole number of items of ${item.join('x')} ${type} (${itemBytes} bytes)`,
    );
  }
  return numberArray(path, type, [bytes.length / itemBytes, ...item], bytes);
}

function byInput(
  path: string,
  arrays: ReadonlyMap<string, NumberArray>,
  inputs: readonly SampleInput[],
): ReadonlyMap<string, NumberArray> {
  const [first] = arrays.values();
  const [only] = inputs;
  if (inputs.length === 1 && arrays.size === 1 && first && only) return new Map([[only.name, first]]);
  return new Map(
    inputs.map(({ name }) => {
      const array = arrays.get(name);
      if (array) return [name, array];
      throw unreadable(path, `holds no array '${name}', but ${[...arrays.keys()].slice(0, 8).join(', ')}`);
    }),
  );
}

/** Each `.pb` an item of the only input; or each folder an item, with `input_0.pb` and so on in the inputs' order. */
function readFolder(path: string, inputs: readonly SampleInput[]): readonly ReadonlyMap<string, NumberArray>[] {
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => NATURAL.compare(a.name, b.name));
  const folders = entries.filter((entry) => entry.isDirectory());
  if (folders.length > 0) {
    return folders.map(
      ({ name: folder }) =>
        new Map(inputs.map(({ name }, index) => [name, readTensor(join(path, folder, `input_${index}.pb`))])),
    );
  }
  const [only] = inputs;
  const files = entries.filter(({ name }) => name.endsWith('.pb') && !name.startsWith('output_'));
  if (!only || files.length === 0) throw unreadable(path, 'holds no .pb files (ONNX tensors)');
  if (inputs.length > 1) {
    return [new Map(inputs.map(({ name }, index) => [name, readTensor(join(path, `input_${index}.pb`))]))];
  }
  return files.map(({ name }) => new Map([[only.name, readTensor(join(path, name))]]));
}

const NATURAL = new Intl.Collator('en', { numeric: true });

function readTensor(path: string): NumberArray {
  const bytes = readWhole(path);
  const { dtype, shape, data } = readTensorFile(path, bytes);
  const elements = data.read();
  if (elements === null) throw unreadable(basename(path), 'holds no elements');
  return numberArray(path, dtype, shape, elements);
}

/** Puts the items of several arrays one after the other, each checked against its input's shape. */
function joinItems(
  path: string,
  arrays: readonly ReadonlyMap<string, NumberArray>[],
  inputs: readonly SampleInput[],
): Samples {
  const counts = new Set<number>();
  const joined = inputs.map(({ name, shape }): readonly [string, Float32Array] => {
    const item = shape.slice(1);
    const elements = countElements(item);
    const parts = arrays.map((of) => {
      const array = of.get(name);
      if (!array) throw unreadable(path, `holds nothing for the input '${name}'`);
      const tail = array.shape.slice(array.shape.length - item.length);
      if (tail.join() !== item.join() || array.shape.length > item.length + 1 || array.data.length === 0) {
        throw unreadable(path, `holds ${array.shape.join('x')} for '${name}', which takes items of ${item.join('x')}`);
      }
      return array.data;
    });
    const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    counts.add(all.length / elements);
    return [name, all];
  });
  const [count = 0, ...others] = counts;
  if (others.length > 0) throw unreadable(path, 'holds different numbers of items for different inputs');
  return { count, inputs: new Map(joined) };
}

const unreadable = (file: string, what: string): DscAuditError => new DscAuditError('cannot-read', `${file}: ${what}.`);
