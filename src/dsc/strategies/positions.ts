import { multiplyExact } from '../../ir/exact.ts';

/** Positions of a kernel: ∏k. */
export const positionsOf = (kernel: readonly number[]): number => multiplyExact(...kernel);
