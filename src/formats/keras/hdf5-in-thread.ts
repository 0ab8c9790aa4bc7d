import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { DscAuditError } from '../../ir/errors.ts';
import { orOutOfMemory } from '../../ir/out-of-memory.ts';
import type { ByteSource } from '../byte-source.ts';
import { HDF5_HEAP_MB, HDF5_HEAP_MB_AN_OBJECT, MAX_HDF5_MS_A_BYTE } from '../limits.ts';
import { DEFAULT_LIMITS, howToRaise, type Limits } from '../raisable-limits.ts';
import {
  type Answers,
  type CallName,
  type Gives,
  type Request,
  type Said,
  STRETCH_BYTES,
  type Takes,
  type ThreadSetting,
  WORD_BYTES,
  WORDS,
} from './hdf5-calls.ts';
import type { Hdf5File, Hdf5Group } from './hdf5-file.ts';
import type { StoredWeight } from './weights.ts';

type Ask = <Name extends CallName>(call: Name, ...args: Takes[Name]) => Gives[Name];

/** Opens a file in a thread that runs `program`. Whoever reads it waits for each answer, within the limits in all. */
export async function openInThread(
  source: ByteSource,
  program: URL,
  limits: Limits = DEFAULT_LIMITS,
): Promise<Hdf5File> {
  const { port1: port, port2 } = new MessageChannel();
  const shared = new SharedArrayBuffer(WORD_BYTES + STRETCH_BYTES);
  const setting: ThreadSetting = { shared, fileBytes: source.size, limits };
  const thread = new Worker(program, {
    workerData: { ...setting, port: port2 },
    transferList: [port2],
    // What the library prints where it fails is said by the error too.
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: HDF5_HEAP_MB + HDF5_HEAP_MB_AN_OBJECT * limits['hdf5-objects'] },
  });
  const close = () => void thread.terminate();
  try {
    await started(thread);
    // A model that nobody closes must not keep the process alive.
    thread.unref();
    const ask = askOver(port, source, new Conversation(shared), limits, close);
    ask('open');
    return { root: groupAt(ask, []), close };
  } catch (error) {
    close();
    throw error;
  }
}

/** The thread has read its program. */
function started(thread: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    thread.once('message', () => resolve());
    thread.once('error', (error) => reject(orOutOfMemory(error)));
    thread.once('exit', () => reject(new Error('The thread that reads HDF5 ended before it began.')));
  });
}

/** The memory that is shared with the thread. */
class Conversation {
  readonly words: Int32Array;
  readonly stretch: Uint8Array;

  constructor(shared: SharedArrayBuffer) {
    this.words = new Int32Array(shared, 0, WORD_BYTES / Int32Array.BYTES_PER_ELEMENT);
    this.stretch = new Uint8Array(shared, WORD_BYTES);
  }

  serve(source: ByteSource, offset: number, length: number): void {
    this.words[WORDS.length] = source.read(offset, this.stretch.subarray(0, length));
    Atomics.add(this.words, WORDS.served, 1);
    Atomics.notify(this.words, WORDS.served);
  }
}

function askOver(port: MessagePort, source: ByteSource, shared: Conversation, limits: Limits, end: () => void): Ask {
  const allowedMs = limits['hdf5-time'] + MAX_HDF5_MS_A_BYTE * source.size;
  let leftMs = allowedMs;
  const hear = (): Said => {
    for (;;) {
      const seen = Atomics.load(shared.words, WORDS.said);
      const received: { readonly message: Said } | undefined = receiveMessageOnPort(port);
      if (received) return received.message;
      const began = performance.now();
      Atomics.wait(shared.words, WORDS.said, seen, Math.max(0, leftMs));
      leftMs -= performance.now() - began;
      if (leftMs > 0) continue;
      end();
      const what = `keeps the reader of HDF5 busy for more than ${Math.round(allowedMs / 1000)} s: it is damaged, most likely. ${howToRaise('hdf5-time', limits['hdf5-time'])}`;
      throw new DscAuditError('limit-exceeded', what);
    }
  };
  return <Name extends CallName>(call: Name, ...args: Takes[Name]) => {
    const request: Request<Name> = { call, args };
    port.postMessage(request);
    for (;;) {
      const said = hear();
      if ('read' in said) shared.serve(source, said.read.offset, said.read.length);
      else if ('failure' in said) throw new DscAuditError(said.failure.code, said.failure.message);
      else if ('bug' in said) throw new Error(said.bug);
      else return answerTo(call, said.answers);
    }
  };
}

function answerTo<Name extends CallName>(call: Name, answers: Answers): Gives[Name] {
  const answer: Gives[Name] | undefined = answers[call];
  if (answer === undefined) throw new Error(`The thread that reads HDF5 did not answer '${call}'.`);
  return answer;
}

function groupAt(ask: Ask, path: readonly string[]): Hdf5Group {
  return {
    get names() {
      return ask('names', path);
    },
    group: (name) => (ask('hasGroup', path, name) ? groupAt(ask, [...path, name]) : null),
    dataset: (name) => datasetAt(ask, path, name),
    texts: (attribute) => ask('texts', path, attribute),
  };
}

function datasetAt(ask: Ask, path: readonly string[], name: string): StoredWeight | null {
  const head = ask('dataset', path, name);
  if (head === null) return null;
  const { dtype, shape, byteLength } = head;
  return { dtype, shape, data: { byteLength, read: () => ask('bytes', path, name) } };
}
