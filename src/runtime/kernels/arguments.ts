import { KERNEL_NAMES, KERNELS, type KernelName } from './index.ts';
import type { ArgumentTypes } from './kernel.ts';

/** An argument's type, and which of the words of a call it is. */
interface Argument {
  readonly name: string;
  readonly type: ArgumentTypes[string];
  readonly position: number;
}

function listed(kernel: KernelName): readonly Argument[] {
  return Object.entries(KERNELS[kernel].argumentTypes).map(([name, type], position) => ({ name, type, position }));
}

const LISTS = new Map(KERNEL_NAMES.map((kernel) => [kernel, listed(kernel)]));

const BY_NAME = new Map(
  [...LISTS].map(([kernel, list]) => [kernel, new Map(list.map((argument) => [argument.name, argument]))]),
);

/** A kernel's arguments in their order. Programs have thousands of calls: it is made once. */
export const argumentsInOrder = (kernel: KernelName): readonly Argument[] => LISTS.get(kernel) ?? [];

/** Which of a call's words an argument is; −1 where the kernel has none of that name. */
export const positionOf = (kernel: KernelName, name: string): number => BY_NAME.get(kernel)?.get(name)?.position ?? -1;
