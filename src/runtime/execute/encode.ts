/** A program as words in memory, for the interpreter. */
import { argumentsInOrder } from '../kernels/arguments.ts';
import type { KernelName } from '../kernels/index.ts';
import { ARGUMENT_ROOM_BYTES, CALL_WORDS } from '../kernels/sequence.ts';
import { type MemoryPlan, planMemory } from '../plan/memory.ts';
import type { Place, Program, ScratchPlace, Sequence, Word } from '../plan/program.ts';
import { CONTROL_BYTES, STEP_WORDS } from './control.ts';
import { kernelSlot } from './kernel-module.ts';

export interface EncodedProgram {
  /** Words from `CONTROL_BYTES` on. */
  readonly words: Int32Array;
  /** Addresses of the first step and behind the last. */
  readonly firstStep: number;
  readonly endStep: number;
  /** Address of the memory plan's first byte. */
  readonly base: number;
  readonly memory: MemoryPlan;
  /** Address of the first thread's own memory, and bytes a thread. */
  readonly scratch: number;
  readonly scratchBytes: number;
  readonly totalBytes: number;
}

const PAGE_ALIGNMENT = 4096;

const align = (bytes: number): number => Math.ceil(bytes / PAGE_ALIGNMENT) * PAGE_ALIGNMENT;

export function encodeProgram(program: Program, kept: ReadonlySet<number>, threads: number): EncodedProgram {
  const memory = planMemory(program, kept);
  const wordCount = countWords(program);
  const base = align(CONTROL_BYTES + wordCount * 4);
  const scratch = align(base + memory.totalBytes);
  const ownBytes = Math.max(0, ...[...program.sequences.values()].map(({ scratchBytes }) => scratchBytes));
  const scratchBytes = align(ARGUMENT_ROOM_BYTES + ownBytes);
  const writer = new WordWriter(wordCount, (place) => base + (memory.offsets[place.buffer] ?? 0) + place.offsetBytes);
  const steps = program.steps.map((step, index) => {
    const sequence = program.sequences.get(index);
    const words = sequence ? encodeSequence(writer, sequence) : step.words;
    return [kernelSlot(step.kernel), step.units, writer.append(step.kernel, words), Number(step.barrier)];
  });
  const firstStep = writer.appendIntegers(steps.flat());
  return {
    words: writer.words,
    firstStep,
    endStep: firstStep + steps.length * STEP_WORDS * 4,
    base,
    memory,
    scratch,
    scratchBytes,
    totalBytes: scratch + threads * scratchBytes,
  };
}

function countWords(program: Program): number {
  let count = program.steps.length * STEP_WORDS;
  for (const { words } of program.steps) count += words.length;
  for (const { blocks } of program.sequences.values()) {
    count += 2;
    for (const { words } of blocks.flat()) count += words.length + CALL_WORDS;
  }
  return count;
}

/** Writes the calls, and gives the arguments of the `sequence` kernel. */
function encodeSequence(writer: WordWriter, { blocks }: Sequence): readonly Word[] {
  const calls = blocks.flat().map(({ kernel, units, words }) => {
    const relative = words.reduce<number>((mask, word, bit) => (isScratch(word) ? mask | (1 << bit) : mask), 0);
    return [kernelSlot(kernel), 0, units, writer.append(kernel, words), words.length, relative];
  });
  const table = writer.appendIntegers(calls.flat());
  return [table, blocks[0]?.length ?? 0];
}

const isScratch = (word: Word): word is ScratchPlace => typeof word === 'object' && 'scratchBytes' in word;

class WordWriter {
  readonly words: Int32Array;
  private readonly floats: Float32Array;
  private readonly addressOf: (place: Place) => number;
  private next = 0;

  constructor(count: number, addressOf: (place: Place) => number) {
    this.words = new Int32Array(count);
    this.floats = new Float32Array(this.words.buffer);
    this.addressOf = addressOf;
  }

  /** The address of what is written. */
  append(kernel: KernelName, words: readonly Word[]): number {
    const start = this.next;
    const types = argumentsInOrder(kernel);
    for (const [position, word] of words.entries()) {
      if (types[position]?.type === 'f32' && typeof word === 'number') this.floats[this.next] = word;
      else this.words[this.next] = this.integer(word);
      this.next += 1;
    }
    return CONTROL_BYTES + start * 4;
  }

  appendIntegers(integers: readonly number[]): number {
    const start = this.next;
    this.words.set(integers, start);
    this.next += integers.length;
    return CONTROL_BYTES + start * 4;
  }

  private integer(word: Word): number {
    if (typeof word === 'number') return word;
    return isScratch(word) ? ARGUMENT_ROOM_BYTES + word.scratchBytes : this.addressOf(word);
  }
}
