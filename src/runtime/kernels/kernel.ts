import type { FunctionBody, FunctionReference, Local } from '../wasm/function-body.ts';
import type { Signature } from '../wasm/module.ts';
import type { F32, I32, MultiplyAdd } from '../wasm/values.ts';

/** A kernel's arguments by name, each one word; they lie in memory in this order. */
export type ArgumentTypes = Readonly<Record<string, 'i32' | 'f32'>>;

/** Integers are read once; floats where they are used, or they would hold vector registers through the inner loops. */
export interface ArgumentValues {
  i32: Local<I32>;
  f32: F32;
}

/** What the code of kernels depends on beyond its arguments. */
export interface KernelVariant {
  /** Pixels and blocks of 8 output channels that one turn of the matrix kernel computes. */
  readonly tile: { readonly pixels: number; readonly blocks: number };
  readonly multiplyAdd: MultiplyAdd;
  /** Both halves of a channel block side by side, so that an engine with wider vectors can join them. */
  readonly joinHalves: boolean;
  /** A branch between unrolled steps keeps V8 before version 12 from hoisting loads until registers spill. */
  readonly guardSteps: boolean;
  /**
   * Strassen's sums take a time that grows with pixels × (inputs + outputs), and the product that they save one that grows
   * with pixels × inputs × outputs: the ratio of a quarter's two from which on it pays. Null where products are so fast
   * that it never does.
   */
  readonly strassenRatio: number | null;
}

/** What kernels share with the module around them. */
export interface KernelHost {
  readonly variant: KernelVariant;
  readonly shared: {
    /** target[i] = fn(source[i]): source, target, vectors, function code, alpha, beta. */
    readonly mapSpan: FunctionReference;
    /** Index of the kernels' own type, to call one by its slot. */
    readonly kernelType: number;
    /** The global that holds the address of the thread's own memory. */
    readonly scratchGlobal: number;
  };
}

export interface KernelContext<A extends ArgumentTypes> extends KernelHost {
  readonly body: FunctionBody;
  /** Units of work from `begin` up to `end`; units are independent of each other. */
  readonly begin: Local<I32>;
  readonly end: Local<I32>;
  readonly args: { readonly [K in keyof A]: ArgumentValues[A[K]] };
}

/** One kernel: its arguments, what they mean in its own file, and how its code is written. */
export interface Kernel<A extends ArgumentTypes = ArgumentTypes> {
  readonly argumentTypes: A;
  /** Writes the function (begin, end, address of the arguments). */
  readonly write: (body: FunctionBody, host: KernelHost) => void;
}

export const KERNEL_SIGNATURE: Signature = { parameters: ['i32', 'i32', 'i32'], results: [] };

export function defineKernel<const A extends ArgumentTypes>(
  argumentTypes: A,
  write: (context: KernelContext<A>) => void,
): Kernel<A> {
  return {
    argumentTypes,
    write: (body, host) =>
      write({
        ...host,
        body,
        begin: body.parameter(0),
        end: body.parameter(1),
        args: loadArguments(body, argumentTypes),
      }),
  };
}

function loadArguments<A extends ArgumentTypes>(body: FunctionBody, types: A): KernelContext<A>['args'] {
  const address = body.parameter(2);
  const values = Object.entries(types).map(([name, type], index) => [
    name,
    type === 'i32' ? body.i32(address.loadI32(index * 4)) : address.loadF32(index * 4),
  ]);
  const args: Readonly<Record<string, I32 | F32>> = Object.fromEntries(values);
  if (!areOfTypes(args, types)) throw new Error('An argument of a kernel has another type than it says.');
  return args;
}

const areOfTypes = <A extends ArgumentTypes>(
  args: Readonly<Record<string, I32 | F32>>,
  types: A,
): args is KernelContext<A>['args'] => Object.entries(types).every(([name, type]) => args[name]?.type === type);

/** Channels that lie side by side in memory. */
export const BLOCK = 8;

/** Bytes of one pixel's block of channels. */
export const PIXEL_BYTES = BLOCK * 4;

/** Code that stands for "no function" in an `activation` argument. */
export const NO_ACTIVATION = -1;

export const indices = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
