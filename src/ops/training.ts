import { multiplyExact } from '../ir/exact.ts';
import { tensorFact } from '../ir/fact.ts';
import type { TrainingAttrs } from '../ir/operators.ts';
import type { OpFamily } from './op-def.ts';

/** Learning rate and step count come before the tensors. */
const LEADING_INPUTS = 2;

export const trainingOps: OpFamily<TrainingAttrs> = {
  optimizerStep: {
    kind: 'other',
    roles: {},
    // Inputs: parameters, gradients, then each kind of state; outputs: parameters, then the states.
    infer: ({ statesPerTensor }, context) => {
      const tensors = Math.floor((context.inputs.length - LEADING_INPUTS) / (2 + statesPerTensor));
      return Array.from({ length: context.outputCount }, (_, index) => {
        const source = index < tensors ? index : index + tensors;
        const { dtype, shape } = context.tensor(LEADING_INPUTS + source);
        return tensorFact(dtype, shape);
      });
    },
    cost: ({ flopsPerElement, statesPerTensor }, { outputs }) => {
      const elements = outputs.reduce((sum, output) => sum + (output?.elements ?? 0), 0) / (1 + statesPerTensor);
      return { macs: 0, otherFlops: multiplyExact(flopsPerElement, elements) };
    },
  },
  gradient: {
    kind: 'other',
    roles: {},
    // One derivative for each input.
    infer: (_attrs, context) =>
      Array.from({ length: context.outputCount }, (_, index) => {
        const { dtype, shape } = context.tensor(index);
        return tensorFact(dtype, shape);
      }),
    cost: () => null,
  },
};
