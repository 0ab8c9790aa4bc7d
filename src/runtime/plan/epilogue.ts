import { NO_ACTIVATION } from '../kernels/kernel.ts';
import { type RuntimeUnary, unaryCode } from '../kernels/unary-functions.ts';

/** What is applied to a sum before it is stored. */
export interface Epilogue {
  readonly low: number;
  readonly high: number;
  readonly activation: RuntimeUnary | null;
  readonly alpha: number;
  readonly beta: number;
}

export const LINEAR: Epilogue = {
  low: Number.NEGATIVE_INFINITY,
  high: Number.POSITIVE_INFINITY,
  activation: null,
  alpha: 0,
  beta: 0,
};

export const epilogueArguments = ({ low, high, activation, alpha, beta }: Epilogue) => ({
  low,
  high,
  activation: activation === null ? NO_ACTIVATION : unaryCode(activation),
  alpha,
  beta,
});
