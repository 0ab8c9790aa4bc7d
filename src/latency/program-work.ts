/** The steps of a planned program as terms of a cost model: what the slowest thread does in each. */

import { DscAuditError } from '../ir/errors.ts';
import { KERNELS } from '../runtime/kernels/index.ts';
import type { KernelVariant } from '../runtime/kernels/kernel.ts';
import { planMemory } from '../runtime/plan/memory.ts';
import type { Call, Place, Program, Word } from '../runtime/plan/program.ts';
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
    const call = describeCall(context, { kernel, units, words }, 0, shareOf(units, options.threads), 1);
    return { group: call.work.group, layer, blocks: null, calls: [call] };
  }
  const blocks = sequence.blocks.slice(0, Math.ceil(sequence.blocks.length / options.threads));
  const kernels = [...new Set((sequence.blocks[0] ?? []).map((call) => call.kernel))];
  const calls = blocks.flatMap((block) =>
    block.map((call) => describeCall(context, call, kernels.indexOf(call.kernel), call.units, options.threads)),
  );
  return { group: kernels.join(SEPARATOR), layer, blocks: blocks.length, calls };
}

/** The terms of all calls; of a sequence by kernel, where they are not of all. */
function termsOfStep(clock: ReuseClock, { blocks, calls }: DescribedStep): Readonly<Record<string, number>> {
  const sums: Record<string, number> = blocks === null ? {} : { blocks };
  for (const call of calls) {
    for (const [name, amount] of Object.entries(termsOfCall(clock, call))) {
      const key = blocks === null || isShared(name) ? name : callTerm(call.position, name);
      sums[key] = (sums[key] ?? 0) + amount;
    }
  }
  return sums;
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

/** Bytes and functions cost the same whichever call of a sequence they belong to. */
const isShared = (term: string): boolean => term.startsWith(MAPPED) || countsBytes(term);

/** Whether a term counts bytes that are touched, of one role and from a distance on. */
export const countsBytes = (term: string): boolean => ROLES.some((role) => term.startsWith(`${role}From`));

/** In front of the names of functions of one variable. */
export const MAPPED = 'mapped:';

/** Units of the thread that has most of them. */
const shareOf = (units: number, threads: number): number => Math.ceil(units / threads);

function describeCall(context: Context, call: Call, position: number, units: number, threads: number): DescribedCall {
  const { program, addressOf, options } = context;
  const args = argumentsOf(program, call);
  const work = callWork(call.kernel, { args, units, variant: options.variant });
  const share = call.units === 0 ? 0 : units / call.units;
  const names = Object.keys(KERNELS[call.kernel].argumentTypes);
  const touched = work.touches.flatMap(({ argument, role, bytes }): readonly TouchedRun[] => {
    const place = placeOf(call.words[names.indexOf(argument)]);
    if (place === null || share === 0) return [];
    const whole = Math.min(bytes / share, (program.buffers[place.buffer]?.bytes ?? 0) - place.offsetBytes);
    return whole > 0 ? [{ role, bytes: whole, address: addressOf(place) }] : [];
  });
  return { position, work, share, threads: Math.max(1, threads), touched };
}

/** The terms of a call, with its bytes of each role by distance. */
function termsOfCall(clock: ReuseClock, call: DescribedCall): Readonly<Record<string, number>> {
  const { mapped, rereads, terms: own } = call.work;
  const terms: Record<string, number> = { ...own };
  if (mapped) terms[`${MAPPED}${mapped.fn}`] = mapped.vectors;
  const sums: BytesByDistance = { input: emptySums(), weights: emptySums(), output: emptySums() };
  touchMemory(clock, call, sums);
  for (const { role, bytes, distance } of rereads) addByDistance(sums[role], bytes, distance);
  for (const role of ROLES) {
    for (const [index, bytes] of sums[role].entries()) {
      if (bytes > 0) terms[DISTANCE_TERMS[role][index] ?? ''] = bytes;
    }
  }
  return terms;
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
  return typeof word?.value === 'object' && 'buffer' in word.value ? word.value : null;
}

function argumentsOf(program: Program, { kernel, words }: Call): CallArguments {
  const names = Object.keys(KERNELS[kernel].argumentTypes);
  const word = (name: string): Word | undefined => words[names.indexOf(name)];
  return {
    number: (name) => {
      const value = word(name)?.value;
      return typeof value === 'number' ? value : 0;
    },
    isPlace: (name) => typeof word(name)?.value === 'object',
    table: (name) => {
      const place = placeOf(word(name));
      return (place === null ? null : program.buffers[place.buffer]?.constant?.()) ?? null;
    },
  };
}
