/** The steps of a planned program as terms of a cost model: what the slowest thread does in each. */

import { DscAuditError } from '../ir/errors.ts';
import { positionOf } from '../runtime/kernels/arguments.ts';
import type { KernelName } from '../runtime/kernels/index.ts';
import type { KernelVariant } from '../runtime/kernels/kernel.ts';
import { planMemory } from '../runtime/plan/memory.ts';
import type { Buffer, Call, Place, Program, Word } from '../runtime/plan/program.ts';
import { type CallArguments, type CallWork, callWork, ROLES, type Role, type Terms } from './kernel-work.ts';
import { addByDistance, DISTANCES, ReuseClock } from './reuse.ts';

/** One step, as it is predicted. */
export interface Work {
  /** The set of coefficients: the kernel's name, or the kernels' of a sequence. */
  readonly group: string;
  readonly terms: Terms;
}

/** A step's work, and which layer of the plan it belongs to. */
export interface StepWork extends Work {
  readonly layer: number;
}

export interface WorkOptions {
  readonly variant: KernelVariant;
  readonly threads: number;
}

/** Names of the terms of bytes by role and distance. */
const termsOf = (role: Role): readonly string[] => DISTANCES.map((bytes) => `${role}From${bytes / 1024}KB`);

const DISTANCE_TERMS: Readonly<Record<Role, readonly string[]>> = {
  input: termsOf('input'),
  weights: termsOf('weights'),
  output: termsOf('output'),
};

/**
 * The work of every step in a steady state, in which the program was run before. `kept` are buffers whose memory is not
 * shared with others.
 */
export function programWork(program: Program, kept: ReadonlySet<number>, options: WorkOptions): readonly StepWork[] {
  const memory = planMemory(program, kept);
  if (!(memory.totalBytes <= MAX_MEMORY_BYTES)) {
    throw new DscAuditError('cannot-run', 'it needs more memory than WebAssembly can address (4 GiB)');
  }
  const clock = new ReuseClock(memory.totalBytes);
  const context: Context = {
    program,
    addressOf: (place) => (memory.offsets[place.buffer] ?? 0) + place.offsetBytes,
    options,
  };
  const steps = program.steps.map((_, index) => describeStep(context, index));
  // What the turn before leaves in the caches.
  for (const { calls } of steps) for (const call of calls) touchMemory(clock, call, null);
  return steps.map((step) => ({ group: step.group, layer: step.layer, terms: termsOfStep(clock, step) }));
}

/** What 32-bit addresses reach. Extents come from the file: the memory that they ask for may be any number. */
const MAX_MEMORY_BYTES = 2 ** 32;

interface Context {
  readonly program: Program;
  readonly addressOf: (place: Place) => number;
  readonly options: WorkOptions;
}

interface DescribedStep {
  readonly group: string;
  readonly layer: number;
  /** How many blocks a sequence goes through; null for a single call. */
  readonly blocks: number | null;
  readonly calls: readonly DescribedCall[];
}

interface DescribedCall {
  /** Which of the kernels of a sequence it calls: those that it calls more than once count together. */
  readonly position: number;
  readonly work: CallWork;
  /** The part of its units that the slowest thread has. */
  readonly share: number;
  /** Threads that each make calls of their own meanwhile. */
  readonly threads: number;
  readonly touched: readonly TouchedRun[];
}

/** A run of memory that all threads together touch. */
interface TouchedRun {
  readonly role: Role;
  readonly bytes: number;
  readonly address: number;
}

function describeStep(context: Context, index: number): DescribedStep {
  const { program, options } = context;
  const step = program.steps[index];
  if (step === undefined) throw new Error(`The program has no step ${index}.`);
  const { layer, kernel, units, words } = step;
  const sequence = program.sequences.get(index);
  if (sequence === undefined) {
    const share = shareOf(units, options.threads);
    const call = describeCall(context, { kernel, units, words }, 0, share, 1, workOf(context));
    return { group: call.work.group, layer, blocks: null, calls: [call] };
  }
  const blocks = sequence.blocks.slice(0, Math.ceil(sequence.blocks.length / options.threads));
  const kernels = [...new Set((sequence.blocks[0] ?? []).map((call) => call.kernel))];
  const known = rememberedWork(context);
  // A last block may have calls that have nothing to do.
  const calls = blocks.flatMap((block) =>
    block
      .filter((call) => call.units > 0)
      .map((call) => describeCall(context, call, kernels.indexOf(call.kernel), call.units, options.threads, known)),
  );
  return { group: kernels.join(SEPARATOR), layer, blocks: blocks.length, calls };
}

/** The terms of all calls, of a sequence by kernel; functions and bytes by distance are of all. */
function termsOfStep(clock: ReuseClock, { blocks, calls }: DescribedStep): Readonly<Record<string, number>> {
  const terms: Record<string, number> = blocks === null ? {} : { blocks };
  const add = (name: string, amount: number): void => {
    terms[name] = (terms[name] ?? 0) + amount;
  };
  const bytesByRole: BytesByDistance = { input: emptySums(), weights: emptySums(), output: emptySums() };
  const works = new Map<CallWork, { readonly position: number; count: number }>();
  for (const call of calls) {
    touchMemory(clock, call, bytesByRole);
    const known = works.get(call.work);
    if (known) known.count += 1;
    else works.set(call.work, { position: call.position, count: 1 });
  }
  for (const [{ terms: own, mapped, rereads }, { position, count }] of works) {
    for (const [name, amount] of Object.entries(own)) {
      add(blocks === null ? name : callTerm(position, name), count * amount);
    }
    if (mapped) add(`${MAPPED}${mapped.fn}`, count * mapped.vectors);
    for (const { role, bytes, distance } of rereads) addByDistance(bytesByRole[role], count * bytes, distance);
  }
  for (const role of ROLES) {
    for (const [index, bytes] of bytesByRole[role].entries()) {
      if (bytes > 0) terms[DISTANCE_TERMS[role][index] ?? ''] = bytes;
    }
  }
  return terms;
}

const callTerm = (position: number, name: string): string => `${position}.${name}`;

/** Which call of a sequence a term belongs to; null where it is of all. */
export function callOf(term: string): number | null {
  const position = /^(\d+)\./.exec(term)?.[1];
  return position === undefined ? null : Number(position);
}

/** The calls of a sequence as steps of their own; what they have in common is the first one's. */
export function partsOf({ group, terms }: Work): readonly Work[] {
  return group.split(SEPARATOR).map((kernel, position) => ({
    group: kernel,
    terms: Object.fromEntries(
      Object.entries(terms).flatMap(([term, amount]) => {
        const call = callOf(term);
        if (call === null) return position === 0 ? [[term, amount]] : [];
        return call === position ? [[term.slice(callTerm(position, '').length), amount]] : [];
      }),
    ),
  }));
}

const SEPARATOR = ' + ';

/** Whether a term counts bytes that are touched, of one role and from a distance on. */
export const countsBytes = (term: string): boolean => ROLES.some((role) => term.startsWith(`${role}From`));

/** In front of the names of functions of one variable. */
export const MAPPED = 'mapped:';

/** Units of the thread that has most of them. */
const shareOf = (units: number, threads: number): number => Math.ceil(units / threads);

/** The work of so many of a call's units. */
type WorkOf = (call: Call, units: number) => CallWork;

const workOf =
  ({ program, options: { variant } }: Context): WorkOf =>
  (call, units) =>
    callWork(call.kernel, { args: argumentsOf(program, call), units, variant });

/** Work that is known of a call, with what it follows from: by position of a word, see `contentOf`. */
interface KnownWork {
  readonly read: readonly (readonly [position: number, content: Content])[];
  readonly work: CallWork;
}

/** A number, the constant that a place is in, since its elements may have been read, or null for any other place. */
type Content = number | Buffer | null;

function contentOf({ buffers }: Program, word: Word | undefined): Content {
  if (typeof word !== 'object') return word ?? null;
  const buffer = 'buffer' in word ? buffers[word.buffer] : undefined;
  return buffer?.constant ? buffer : null;
}

/** Calls of a sequence differ in little but their places: the work of those that are alike is the same object. */
function rememberedWork({ program, options: { variant } }: Context): WorkOf {
  const known = new Map<KernelName, Map<number, KnownWork[]>>();
  return (call, units) => {
    const ofKernel = known.get(call.kernel) ?? new Map<number, KnownWork[]>();
    const candidates = ofKernel.get(units) ?? [];
    const same = candidates.find(({ read }) =>
      read.every(([position, content]) => contentOf(program, call.words[position]) === content),
    );
    if (same) return same.work;
    const positions = new Set<number>();
    const work = callWork(call.kernel, { args: argumentsOf(program, call, positions), units, variant });
    const read = Array.from(positions, (position) => [position, contentOf(program, call.words[position])] as const);
    if (candidates.length < MAX_ALIKE) {
      known.set(call.kernel, ofKernel.set(units, [...candidates, { read, work }]));
    }
    return work;
  };
}

/** Kinds of calls of a kernel with as many units: all are looked through for every call. */
const MAX_ALIKE = 8;

function describeCall(
  { program, addressOf }: Context,
  call: Call,
  position: number,
  units: number,
  threads: number,
  workOfCall: WorkOf,
): DescribedCall {
  const work = workOfCall(call, units);
  const share = call.units === 0 ? 0 : units / call.units;
  const touched = work.touches.flatMap(({ argument, role, bytes }): readonly TouchedRun[] => {
    const place = placeOf(call.words[positionOf(call.kernel, argument)]);
    if (place === null || share === 0) return [];
    const whole = Math.min(bytes / share, (program.buffers[place.buffer]?.bytes ?? 0) - place.offsetBytes);
    return whole > 0 ? [{ role, bytes: whole, address: addressOf(place) }] : [];
  });
  return { position, work, share, threads: Math.max(1, threads), touched };
}

type BytesByDistance = Readonly<Record<Role, number[]>>;

/** Touches what a call touches, and moves the clock on; adds the bytes of its share where they are asked for. */
function touchMemory(clock: ReuseClock, call: DescribedCall, sums: BytesByDistance | null): void {
  const { touched, share, threads } = call;
  const callBytes = touched.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { role, bytes, address } of touched) {
    const add = sums && ((piece: number, distance: number) => addByDistance(sums[role], piece * share, distance));
    clock.touch(address, bytes, callBytes, add);
  }
  clock.advance(callBytes * threads);
}

const emptySums = (): number[] => DISTANCES.map(() => 0);

function placeOf(word: Word | undefined): Place | null {
  return typeof word === 'object' && 'buffer' in word ? word : null;
}

/** A call's arguments; the positions of those that are read are added to `read`. */
function argumentsOf(program: Program, { kernel, words }: Call, read: Set<number> = new Set()): CallArguments {
  const word = (name: string): Word | undefined => {
    const position = positionOf(kernel, name);
    read.add(position);
    return words[position];
  };
  return {
    number: (name) => {
      const value = word(name);
      return typeof value === 'number' ? value : 0;
    },
    isPlace: (name) => typeof word(name) === 'object',
    table: (name) => {
      const place = placeOf(word(name));
      return (place === null ? null : program.buffers[place.buffer]?.constant?.()) ?? null;
    },
  };
}
