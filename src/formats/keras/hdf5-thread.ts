/** A thread that reads one HDF5 file for another thread, which waits for it and may end it at any time. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { DscAuditError } from '../../ir/errors.ts';
import type { ByteSource } from '../byte-source.ts';
import { MAX_HDF5_GROWTH } from '../limits.ts';
import { limitMet } from '../raisable-limits.ts';
import {
  type Answers,
  type CallName,
  type Hdf5Calls,
  type Request,
  type Said,
  STRETCH_BYTES,
  type ThreadSetting,
  WORD_BYTES,
  WORDS,
} from './hdf5-calls.ts';
import type { Hdf5File, Hdf5Group } from './hdf5-file.ts';
import { loadHdf5 } from './hdf5-library.ts';
import { pathKey } from './path-key.ts';
import type { StoredWeight } from './weights.ts';

const { shared, fileBytes, limits, port }: ThreadSetting & { readonly port: MessagePort } = workerData;
const words = new Int32Array(shared, 0, WORD_BYTES / Int32Array.BYTES_PER_ELEMENT);
const stretch = new Uint8Array(shared, WORD_BYTES);

function say(said: Said, transferred: readonly ArrayBuffer[] = []): void {
  port.postMessage(said, [...transferred]);
  Atomics.add(words, WORDS.said, 1);
  Atomics.notify(words, WORDS.said);
}

/** The file, stretch by stretch, from the thread that has opened it. The latest ones are kept. */
function remoteSource(): ByteSource {
  const pages = new Map<number, Uint8Array>();
  const pageAt = (index: number): Uint8Array => {
    const known = pages.get(index);
    if (known !== undefined) return known;
    const page = fetch(index * STRETCH_BYTES);
    const [oldest] = pages.keys();
    if (pages.size >= PAGES && oldest !== undefined) pages.delete(oldest);
    pages.set(index, page);
    return page;
  };
  return {
    size: fileBytes,
    read(offset, target) {
      let copied = 0;
      while (copied < target.length && offset + copied < fileBytes) {
        const from = offset + copied;
        const page = pageAt(Math.floor(from / STRETCH_BYTES));
        const piece = page.subarray(from % STRETCH_BYTES).subarray(0, target.length - copied);
        if (piece.length === 0) break;
        target.set(piece, copied);
        copied += piece.length;
      }
      return copied;
    },
    close() {},
  };
}

const PAGES = 32;

function fetch(offset: number): Uint8Array {
  const seen = Atomics.load(words, WORDS.served);
  say({ read: { offset, length: STRETCH_BYTES } });
  Atomics.wait(words, WORDS.served, seen);
  return stretch.slice(0, words[WORDS.length]);
}

/** Whether the present call met the limit of memory: to the library it is damage like any other. */
let isMemoryRefused = false;

/** What the library takes is held against the file's size: it allocates what a file tells it to. */
function limitMemory(mostBytes: number): void {
  const { prototype } = WebAssembly.Memory;
  const { grow } = prototype;
  prototype.grow = function limited(this: WebAssembly.Memory, pages: number): number {
    const PAGE = 65_536;
    if (this.buffer.byteLength + pages * PAGE <= mostBytes) return grow.call(this, pages);
    isMemoryRefused = true;
    throw new RangeError('The file asks for too much memory.');
  };
}

limitMemory(limits['hdf5-memory'] + MAX_HDF5_GROWTH * fileBytes);
const open = await loadHdf5();
const groups = new Map<string, Hdf5Group>();
const datasets = new Map<string, StoredWeight>();
let file: Hdf5File | null = null;

function told<T>(known: ReadonlyMap<string, T>, path: readonly string[]): T {
  const found = known.get(pathKey(path));
  if (found === undefined) throw new Error('A group or a weight is asked for that nobody was told of.');
  return found;
}

const groupAt = (path: readonly string[]): Hdf5Group => told(groups, path);

const CALLS: Hdf5Calls = {
  open() {
    file = open(remoteSource(), limits);
    groups.set(pathKey([]), file.root);
    return null;
  },
  names: (path) => groupAt(path).names,
  hasGroup(path, name) {
    const found = groupAt(path).group(name);
    if (found !== null) groups.set(pathKey([...path, name]), found);
    return found !== null;
  },
  dataset(path, name) {
    const found = groupAt(path).dataset(name);
    if (found !== null) datasets.set(pathKey([...path, name]), found);
    return found && { dtype: found.dtype, shape: found.shape, byteLength: found.data.byteLength };
  },
  texts: (path, attribute) => groupAt(path).texts(attribute),
  bytes: (path, name) => told(datasets, [...path, name]).data.read(),
};

function answer<Name extends CallName>({ call, args }: Request<Name>): Said {
  isMemoryRefused = false;
  try {
    const answers: Answers = {};
    answers[call] = CALLS[call](...args);
    return { answers };
  } catch (error) {
    if (error instanceof DscAuditError) {
      const { code, message } = isMemoryRefused
        ? limitMet('hdf5-memory', limits, 'asks for more memory than its size allows')
        : error;
      return { failure: { code, message } };
    }
    return { bug: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

port.on('message', (request: Request) => say(answer(request)));
parentPort?.postMessage('ready');
