/** The program of a network as plain data: memory that it needs, and steps over it. */
import { argumentsInOrder } from '../kernels/arguments.ts';
import type { KernelArgumentTypes, KernelName } from '../kernels/index.ts';

/** A place in memory whose address is not decided yet. */
export interface Place {
  readonly buffer: number;
  readonly offsetBytes: number;
}

/** A number, or the address of a place. */
export type Argument = number | Place;

/** A place in the thread's own memory, for kernels inside a sequence. */
export interface ScratchPlace {
  readonly scratchBytes: number;
}

export type KernelArguments<K extends KernelName> = { readonly [A in keyof KernelArgumentTypes<K>]: Argument };

type SequencedArguments<K extends KernelName> = {
  readonly [A in keyof KernelArgumentTypes<K>]: Argument | ScratchPlace;
};

/** One argument of a call; whether a number is an integer, the kernel tells. */
export type Word = Argument | ScratchPlace;

export interface Step {
  readonly kernel: KernelName;
  /** Independent pieces of work, shared out between the threads. */
  readonly units: number;
  readonly words: readonly Word[];
  /** The layer that its time belongs to. */
  readonly layer: number;
  /** All threads wait for each other after it. */
  readonly barrier: boolean;
}

/** One call inside a sequence. */
export interface Call {
  readonly kernel: KernelName;
  readonly units: number;
  readonly words: readonly Word[];
}

export interface Sequence {
  /** By block: the calls of one unit. All blocks have equally many. */
  readonly blocks: readonly (readonly Call[])[];
  /** Bytes of its own memory that each thread needs. */
  readonly scratchBytes: number;
}

export type Elements = Float32Array | Int32Array;

export interface Buffer {
  readonly bytes: number;
  /** What it holds from the start and keeps; null for one that steps write, whose memory others use before and after. */
  readonly constant: (() => Elements) | null;
}

export interface Program {
  readonly buffers: readonly Buffer[];
  readonly steps: readonly Step[];
  /** By step: the sequence that a `sequence` step runs. */
  readonly sequences: ReadonlyMap<number, Sequence>;
}

/** Vectors may be read up to one vector past the end. */
const SLACK_BYTES = 32;

export class ProgramBuilder {
  private readonly buffers: Buffer[] = [];
  private readonly steps: Step[] = [];
  private readonly sequences = new Map<number, Sequence>();
  /** The layer that the next steps belong to. */
  layer = 0;

  /** Memory that steps write. */
  buffer(bytes: number): Place {
    return this.add({ bytes: bytes + SLACK_BYTES, constant: null });
  }

  /** Memory that holds `elements`, computed when the program is loaded. */
  constant(count: number, elements: () => Elements): Place {
    return this.add({ bytes: count * 4 + SLACK_BYTES, constant: elements });
  }

  step<K extends KernelName>(kernel: K, units: number, args: KernelArguments<K>): void {
    this.steps.push({ kernel, units, words: wordsOf(kernel, args), layer: this.layer, barrier: true });
  }

  /** A step with its words as they are. */
  append(kernel: KernelName, units: number, words: readonly Word[]): void {
    this.steps.push({ kernel, units, words, layer: this.layer, barrier: true });
  }

  /** A step whose results the next one does not read: no barrier in between. */
  stepBeside<K extends KernelName>(kernel: K, units: number, args: KernelArguments<K>): void {
    this.steps.push({ kernel, units, words: wordsOf(kernel, args), layer: this.layer, barrier: false });
  }

  sequence(sequence: Sequence): void {
    this.sequences.set(this.steps.length, sequence);
    this.steps.push({ kernel: 'sequence', units: sequence.blocks.length, words: [], layer: this.layer, barrier: true });
  }

  build(): Program {
    return { buffers: this.buffers, steps: this.steps, sequences: this.sequences };
  }

  private add(buffer: Buffer): Place {
    this.buffers.push(buffer);
    return { buffer: this.buffers.length - 1, offsetBytes: 0 };
  }
}

export type AnyPlace = Place | ScratchPlace;

/** The place so many bytes further on. */
export function shifted(place: Place, offsetBytes: number): Place;
export function shifted(place: AnyPlace, offsetBytes: number): AnyPlace;
export function shifted(place: AnyPlace, offsetBytes: number): AnyPlace {
  return 'buffer' in place ? at(place, offsetBytes) : { scratchBytes: place.scratchBytes + offsetBytes };
}

export function call<K extends KernelName>(kernel: K, units: number, args: SequencedArguments<K>): Call {
  return { kernel, units, words: wordsOf(kernel, args) };
}

export const at = (place: Place, offsetBytes: number): Place => ({
  buffer: place.buffer,
  offsetBytes: place.offsetBytes + offsetBytes,
});

function wordsOf(kernel: KernelName, args: Readonly<Record<string, Argument | ScratchPlace>>): Word[] {
  return argumentsInOrder(kernel).map(({ name }) => {
    const word = args[name];
    if (word === undefined) throw new Error(`Kernel ${kernel} lacks its argument ${name}.`);
    return word;
  });
}

/** The buffers that a step reads or writes. */
export function buffersOf(program: Program, stepIndex: number): ReadonlySet<number> {
  const buffers = new Set<number>();
  const addBuffers = (words: readonly Word[]): void => {
    for (const word of words) if (typeof word === 'object' && 'buffer' in word) buffers.add(word.buffer);
  };
  addBuffers(program.steps[stepIndex]?.words ?? []);
  for (const block of program.sequences.get(stepIndex)?.blocks ?? []) {
    for (const { words } of block) addBuffers(words);
  }
  return buffers;
}
