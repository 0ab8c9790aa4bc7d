import { multiplyExact } from '../ir/exact.ts';
import { staticShape } from '../ir/fact.ts';
import { trainingCost } from '../passes/training-cost.ts';
import type { Analysis } from './analyse.ts';
import type { Totals, TrainingSection } from './report.ts';

/** Bytes of one float32, in which optimisers keep their state. */
const STATE_BYTES = 4;

/** Numbers that an optimiser keeps for each trainable element: nothing, a velocity, two moments (1412.6980). */
const STATES = { sgd: 0, momentum: 1, adam: 2 } as const;

export function trainingSection({ read, facts, counted }: Analysis, totals: Totals): TrainingSection {
  const cost = trainingCost(facts, counted.layers);
  const input = facts.of[read.model.graph.inputs[0] ?? -1];
  const shape = input?.type === 'tensor' ? staticShape(input.shape) : null;
  const state = (numbers: number): number => multiplyExact(cost.trainableElements, numbers, STATE_BYTES);
  return {
    batch: shape?.[0] ?? null,
    macs: { forward: cost.forwardMacs, backward: cost.backwardMacs },
    trainable: cost.trainableElements,
    weightBytes: totals.weightBytes,
    gradientBytes: cost.gradientBytes,
    optimizerBytes: { sgd: state(STATES.sgd), momentum: state(STATES.momentum), adam: state(STATES.adam) },
    activationBytes: cost.keptActivationBytes,
  };
}
