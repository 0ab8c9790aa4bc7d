import { type Fact, tensorFact } from '../ir/fact.ts';
import type { TextAttrs } from '../ir/operators.ts';
import type { InferContext, OpFamily } from './op-def.ts';
import { broadcastShapes, free } from './shape-rules.ts';

function inferSplit(_attrs: unknown, context: InferContext): readonly Fact[] {
  const { shape } = context.tensor(0);
  return [tensorFact('string', shape && [...shape, context.dataDependent('substrings')]), tensorFact('int64', shape)];
}

/** Words that are removed shorten the last axis; one word at least is left, if only an empty one. */
function inferNormalize({ removesWords }: TextAttrs['stringNormalize'], context: InferContext): readonly Fact[] {
  const { shape } = context.tensor(0);
  if (shape === null || !removesWords) return [tensorFact('string', shape)];
  return [tensorFact('string', [...shape.slice(0, -1), context.dataDependent('words')])];
}

export const textOps: OpFamily<TextAttrs> = {
  stringConcat: {
    kind: 'other',
    roles: {},
    infer: (_attrs, context) => [
      tensorFact('string', broadcastShapes([context.tensor(0).shape, context.tensor(1).shape])),
    ],
    cost: free,
  },
  stringSplit: { kind: 'other', roles: {}, infer: inferSplit, cost: free },
  stringNormalize: { kind: 'other', roles: {}, infer: inferNormalize, cost: free },
  regexMatch: {
    kind: 'other',
    roles: {},
    infer: (_attrs, context) => [tensorFact('bool', context.tensor(0).shape)],
    cost: free,
  },
  tfIdf: {
    kind: 'other',
    roles: {},
    infer: ({ length }, context) => {
      const { shape } = context.tensor(0);
      return [tensorFact('float32', shape && [...shape.slice(0, -1), length])];
    },
    cost: free,
  },
  imageDecode: {
    kind: 'other',
    roles: {},
    infer: ({ channels }, context) => [
      tensorFact('uint8', [context.dataDependent('height'), context.dataDependent('width'), channels]),
    ],
    cost: free,
  },
};
