/**
 * Feeds every reader with damaged inputs: each must give a result or a `DscAuditError`, in time and memory that fit the input.
 * usage: npm run fuzz -- [--minutes 10 | --inputs 500] [--seed 1] [--reader name] [--input number] [--folder fuzz-findings]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { inputOf } from './input.ts';
import { TARGETS } from './targets/index.ts';
import type { ThreadTask, Violation } from './thread.ts';

/** An input that takes more time of the processor, or much more at all, has hung its reader. */
const DEADLINE_MS = 15_000;
const DEADLINE_AT_ALL_MS = 120_000;

/** What reading may hold beside what the process holds already: far above what inputs of these sizes need. */
const HEAP_MB = 384;
const RESIDENT_BYTES = 1.5 * 2 ** 30;

/** Inputs for a thread: damage to the HDF5 library's own memory must not last. */
const INPUTS_A_THREAD = 2000;

const POLL_MS = 50;

interface Tally {
  /** Milliseconds that it had. */
  spentMs: number;
  inputs: number;
  results: number;
  confined: number;
  findings: number;
}

interface Run {
  readonly seed: number;
  readonly findings: string;
  readonly scratch: string;
  readonly command: string;
}

/** Reads some inputs in a thread; gives the number of the next one. */
async function readSome(reader: string, from: number, count: number, run: Run, tally: Tally): Promise<number> {
  const progress = new SharedArrayBuffer(16);
  const told = new Float64Array(progress);
  told[0] = from;
  const task: ThreadTask = { reader, seed: run.seed, from, count, folder: run.scratch, progress };
  const thread = new Worker(new URL('./thread.mjs', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  const violations: Violation[] = [];
  thread.on('message', (violation: Violation) => violations.push(violation));
  const ended = new Promise<string | null>((resolve) => {
    thread.once('error', (error) => resolve(error instanceof Error ? (error.stack ?? error.message) : String(error)));
    thread.once('exit', (code) => resolve(code === 0 ? null : `The thread ended with ${code}.`));
  });
  const watch = new AbortController();
  const death = await Promise.race([ended, hungOrHuge(told, watch.signal)]);
  watch.abort();
  await thread.terminate();
  const last = death === null ? from + count - 1 : (told[0] ?? from);
  if (death !== null) violations.push({ input: last, what: death });
  for (const violation of violations) judge(reader, violation, run, tally);
  tally.inputs += last + 1 - from;
  tally.results += told[1] ?? 0;
  return last + 1;
}

function clocks() {
  const { user, system } = process.cpuUsage();
  return { spentMs: (user + system) / 1000, wallMs: performance.now() };
}

/** Settles when an input takes too long, or too much memory; with null once nobody asks any more. */
async function hungOrHuge(told: Float64Array, signal: AbortSignal): Promise<string | null> {
  const base = process.memoryUsage.rss();
  for (let input = told[0], since = clocks(); !signal.aborted; ) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    if (told[0] !== input) [input, since] = [told[0], clocks()];
    const now = clocks();
    if (now.spentMs - since.spentMs > DEADLINE_MS) return `It took more than ${DEADLINE_MS} ms.`;
    if (now.wallMs - since.wallMs > DEADLINE_AT_ALL_MS) return 'It waits without end.';
    const grown = process.memoryUsage.rss() - base;
    if (grown > RESIDENT_BYTES) return `It took ${Math.round(grown / 2 ** 20)} MB.`;
  }
  return null;
}

/** Keeps an input that broke the law, unless the command itself confines what it breaks. */
function judge(reader: string, { input, what }: Violation, { seed, findings, command }: Run, tally: Tally): void {
  const target = TARGETS[reader];
  if (target === undefined) return;
  const name = `${reader}-${seed}-${input}`;
  const path = join(findings, `${name}${target.confined ?? '.bin'}`);
  mkdirSync(findings, { recursive: true });
  writeFileSync(path, inputOf(target, target.seeds(), seed, input).bytes);
  if (target.confined !== undefined && isHeld(command, path)) {
    tally.confined++;
    writeFileSync(`${path}.confined.txt`, `${what}\n`);
    return;
  }
  tally.findings++;
  writeFileSync(`${path}.txt`, `${what}\n`);
  process.stdout.write(`${name}: ${what.split('\n').slice(0, 4).join('\n  ')}\n`);
}

/** Whether the command, which reads in threads of its own, ends with a report or an error. */
function isHeld(command: string, path: string): boolean {
  const { status, signal } = spawnSync(
    process.execPath,
    [command, path, '--no-config', '--format', 'json', '--approximation'],
    {
      timeout: 60_000,
      stdio: 'ignore',
    },
  );
  return signal === null && (status === 0 || status === 2);
}

/** Runs every reader, each for as long as the others, until the time or the inputs are used up. */
export async function fuzz(args: readonly string[], command: string): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string' },
      inputs: { type: 'string' },
      seed: { type: 'string', default: '1' },
      reader: { type: 'string' },
      input: { type: 'string' },
      folder: { type: 'string', default: 'fuzz-findings' },
    },
  });
  const readers = values.reader === undefined ? Object.keys(TARGETS) : [values.reader];
  const unknown = readers.find((reader) => !Object.hasOwn(TARGETS, reader));
  if (unknown !== undefined) throw new Error(`There is no reader ${unknown}: ${Object.keys(TARGETS).join(', ')}.`);
  const first = Number(values.input ?? 0);
  const most = values.input !== undefined ? 1 : Number(values.inputs ?? Number.POSITIVE_INFINITY);
  const until =
    values.inputs === undefined ? performance.now() + Number(values.minutes ?? 10) * 60_000 : Number.POSITIVE_INFINITY;
  const scratch = mkdtempSync(join(tmpdir(), 'dsc-audit-fuzz-'));
  const run: Run = { seed: Number(values.seed), findings: values.folder, scratch, command };
  const tallies = new Map(
    readers.map((reader): [string, Tally] => [reader, { spentMs: 0, inputs: 0, results: 0, confined: 0, findings: 0 }]),
  );
  const next = new Map(readers.map((reader) => [reader, first]));
  const nextOf = (reader: string): number => next.get(reader) ?? first;
  let isStopped = false;
  process.once('SIGINT', () => {
    isStopped = true;
  });
  const isOver = (): boolean => isStopped || performance.now() >= until;
  try {
    while (!isOver()) {
      const waiting = [...tallies].filter(([reader]) => nextOf(reader) < first + most);
      // Some readers are ten times as fast as others: none of them waits for the slow ones.
      const [chosen] = waiting.sort(([, one], [, other]) => one.spentMs - other.spentMs);
      if (chosen === undefined) break;
      const [reader, tally] = chosen;
      const from = nextOf(reader);
      const started = performance.now();
      next.set(reader, await readSome(reader, from, Math.min(INPUTS_A_THREAD, first + most - from), run, tally));
      tally.spentMs += performance.now() - started;
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  for (const [reader, { inputs, results, confined, findings }] of tallies) {
    const apart = confined > 0 ? `, ${confined} confined` : '';
    process.stdout.write(
      `${reader}: ${inputs} inputs, ${results} read, the others refused${apart}, ${findings} findings\n`,
    );
  }
  return [...tallies.values()].some(({ findings }) => findings > 0) ? 1 : 0;
}
