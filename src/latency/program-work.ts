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
    described: new Map(),
    clock,
    addressOf: (place) => (memory.offsets[place.buffer] ?? 0) + place.offsetBytes,
    options,
  };
  // The first turn only tells the clock what the turn before leaves in the caches.
  for (const [index] of program.steps.entries()) stepWork(context, index);
  return program.steps.map((_, index) => stepWork(context, index));
}

/** What 32-bit addresses reach. Extents come from the file: the memory that they ask for may be any number. */
const MAX_MEMORY_BYTES = 2 ** 32;

interface Context {
  readonly program: Program;
  readonly described: Map<readonly Word[], CallWork>;
  readonly clock: ReuseClock;
  readonly addressOf: (place: Place) => number;
  readonly options: WorkOptions;
}

function stepWork(context: Context, index: number): StepWork {
  const { program, options } = context;
  const step = program.steps[index];
  if (step === undefined) throw new Error(`The program has no step ${index}.`);
  const sequence = program.sequences.get(index);
  if (sequence === undefined) {
    const units = shareOf(step.units, options.threads);
    const call: Call = { kernel: step.kernel, units: step.units, words: step.words };
    const { group, terms } = describeCall(context, call, units, 1);
    return { group, terms, layer: step.layer };
  }
  const blocks = sequence.blocks.slice(0, Math.ceil(sequence.blocks.length / options.threads));
  const kernels = [...new Set((sequence.blocks[0] ?? []).map(({ kernel }) => kernel))];
  const terms: Record<string, number> = { blocks: blocks.length };
  for (const block of blocks) {
    for (const call of block) {
      // The calls of one kernel count together, however many a sequence has of it.
      const position = kernels.indexOf(call.kernel);
      const described = describeCall(context, call, call.units, options.threads);
      for (const [name, amount] of Object.entries(described.terms)) {
        const key = isShared(name) ? name : callTerm(position, name);
        terms[key] = (terms[key] ?? 0) + amount;
      }
    }
  }
  return { group: kernels.join(SEPARATOR), terms, layer: step.layer };
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
const isShared = (term: string): boolean =>
  term.startsWith(MAPPED) || ROLES.some((role) => term.startsWith(`${role}From`));

/** In front of the names of functions of one variable. */
export const MAPPED = 'mapped:';

/** Units of the thread that has most of them. */
const shareOf = (units: number, threads: number): number => Math.ceil(units / threads);

function describeCall(context: Context, call: Call, units: number, threads: number): Work {
  const args = argumentsOf(context.program, call);
  // Both turns describe the same calls.
  const described =
    context.described.get(call.words) ?? callWork(call.kernel, { args, units, variant: context.options.variant });
  context.described.set(call.words, described);
  const terms: Record<string, number> = { ...described.terms };
  if (described.mapped) terms[`${MAPPED}${described.mapped.fn}`] = described.mapped.vectors;
  const share = call.units === 0 ? 0 : units / call.units;
  addMemoryTerms(context, call, described, share, threads, terms);
  return { group: described.group, terms };
}

/** Adds the bytes of each role by distance, and moves the clock on. */
function addMemoryTerms(
  { program, clock, addressOf }: Context,
  call: Call,
  { touches, rereads }: CallWork,
  share: number,
  threads: number,
  terms: Record<string, number>,
): void {
  const names = Object.keys(KERNELS[call.kernel].argumentTypes);
  const sums = { input: emptySums(), weights: emptySums(), output: emptySums() };
  const placed = touches.flatMap(({ argument, role, bytes }) => {
    const place = placeOf(call.words[names.indexOf(argument)]);
    if (place === null || share === 0) return [];
    // All threads together touch the whole; each its share.
    const whole = Math.min(bytes / share, (program.buffers[place.buffer]?.bytes ?? 0) - place.offsetBytes);
    return whole > 0 ? [{ role, whole, address: addressOf(place) }] : [];
  });
  const stepBytes = placed.reduce((sum, { whole }) => sum + whole, 0);
  for (const { role, whole, address } of placed) {
    clock.touch(address, whole, stepBytes, (bytes, distance) => addByDistance(sums[role], bytes * share, distance));
  }
  clock.advance(stepBytes * Math.max(1, threads));
  for (const { role, bytes, distance } of rereads) addByDistance(sums[role], bytes, distance);
  for (const role of ROLES) {
    for (const [index, bytes] of sums[role].entries()) {
      if (bytes > 0) terms[DISTANCE_TERMS[role][index] ?? ''] = bytes;
    }
  }
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
