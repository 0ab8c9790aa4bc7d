/** A thread that reads inputs one after the other, and tells which one it is at: whoever watches it may have to end it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { DscAuditError } from '../../src/ir/errors.ts';
import { inputOf } from './input.ts';
import { TARGETS } from './targets/index.ts';

export interface ThreadTask {
  readonly reader: string;
  readonly seed: number;
  readonly from: number;
  readonly count: number;
  readonly folder: string;
  /** The number of the input that is read, and how many gave a result: 64-bit floats. */
  readonly progress: SharedArrayBuffer;
}

export interface Violation {
  readonly input: number;
  readonly what: string;
}

/** Milliseconds of the processor: more than any input of these sizes may take. */
const SLOW_MS = 4000;

const spentMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const { reader, seed, from, count, folder, progress }: ThreadTask = workerData;
const told = new Float64Array(progress);

async function readAll(): Promise<void> {
  const target = TARGETS[reader];
  if (target === undefined) throw new Error(`There is no reader ${reader}.`);
  const seeds = target.seeds();
  const own = join(folder, reader);
  mkdirSync(own, { recursive: true });
  for (let input = from; input < from + count; input++) {
    told[0] = input;
    const { bytes, chance } = inputOf(target, seeds, seed, input);
    const before = spentMs();
    const what = await violationOf(() => target.read(bytes, chance, own));
    const spent = spentMs() - before;
    if (what !== null) report({ input, what });
    else if (spent > SLOW_MS) report({ input, what: `It took ${Math.round(spent)} ms.` });
  }
}

/** The law: a result, or a `DscAuditError` that says something. */
async function violationOf(read: () => void | Promise<void>): Promise<string | null> {
  try {
    await read();
    told[1] = (told[1] ?? 0) + 1;
    return null;
  } catch (error) {
    if (error instanceof DscAuditError) return error.message.length > 10 ? null : `It says only '${error.message}'.`;
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

const report = (violation: Violation): void => parentPort?.postMessage(violation);

await readAll();
