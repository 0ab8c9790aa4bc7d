import { type Dim, isStatic, maxDims, subtractDims } from '../ir/dim.ts';
import { countElements } from '../ir/extents.ts';
import {
  type Element,
  type Fact,
  MAX_RANK,
  MAX_TRACKED_ELEMENTS,
  type Shape,
  staticShape,
  tensorFact,
} from '../ir/fact.ts';
import type { GenerateAttrs } from '../ir/operators.ts';
import { type InferContext, type OpFamily, ShapeConflict } from './op-def.ts';
import { checkExtents, elementCount, extentAt, free, perOutputElement, trackedTensor } from './shape-rules.ts';

function inferShape({ start, end }: GenerateAttrs['shape'], context: InferContext): readonly Fact[] {
  const { shape } = context.tensor(0);
  if (shape === null) return [tensorFact('int64', [context.dataDependent('rank')])];
  const extents = shape.slice(start, end ?? undefined);
  return [trackedTensor('int64', [extents.length], extents)];
}

/** A shape that is itself computed: each extent that is unknown gets a name. */
export function computedShape(context: InferContext, index: number, label: string): Shape | null {
  const { elements, shape } = context.tensor(index);
  if (elements !== null && elements.length > MAX_RANK) throw new ShapeConflict(`a shape of ${elements.length} extents`);
  if (elements !== null) return elements.map((element, slot) => element ?? context.dataDependent(label, slot));
  const rank = staticShape(shape)?.[0];
  if (rank === undefined) return null;
  if (rank > MAX_RANK) throw new ShapeConflict(`a shape of ${rank} extents`);
  return Array.from({ length: rank }, (_, slot) => context.dataDependent(label, slot));
}

function inferConstantOfShape(
  { dtype, value }: GenerateAttrs['constantOfShape'],
  context: InferContext,
): readonly Fact[] {
  const shape = computedShape(context, 0, 'filled');
  if (shape !== null) checkExtents(shape);
  const extents = staticShape(shape);
  const count = extents === null ? Number.POSITIVE_INFINITY : countElements(extents);
  const elements = count <= MAX_TRACKED_ELEMENTS ? new Array<Element>(count).fill(value) : null;
  return [trackedTensor(dtype, shape, elements)];
}

/** max(⌈(limit − start) / step⌉, 0) elements. */
function inferRange(_attrs: unknown, context: InferContext): readonly Fact[] {
  const { dtype } = context.tensor(0);
  const [start = null, limit = null, step = null] = [0, 1, 2].map(
    (index) => context.tensor(index).elements?.[0] ?? null,
  );
  if (start === null || limit === null || step === null || !isStatic(step) || step === 0) {
    return [tensorFact(dtype, [context.dataDependent('range')])];
  }
  if (!isStatic(start) || !isStatic(limit)) {
    const length: Dim = step === 1 ? maxDims(subtractDims(limit, start), 0) : context.dataDependent('range');
    return [tensorFact(dtype, [length])];
  }
  const length = Math.max(0, Math.ceil((limit - start) / step));
  const elements = length <= MAX_TRACKED_ELEMENTS ? Array.from({ length }, (_, index) => start + index * step) : null;
  return [trackedTensor(dtype, [length], elements)];
}

function inferMelWeights({ dtype }: GenerateAttrs['melWeights'], context: InferContext): readonly Fact[] {
  const bins = context.integers(0)?.[0] ?? context.dataDependent('mel_bins');
  const length = context.integers(1)?.[0];
  return [
    tensorFact(dtype, [
      length === undefined ? context.dataDependent('mel_spectrum') : Math.floor(length / 2) + 1,
      bins,
    ]),
  ];
}

export const generateOps: OpFamily<GenerateAttrs> = {
  shape: { kind: 'reshape', roles: {}, infer: inferShape, cost: free },
  size: {
    kind: 'reshape',
    roles: {},
    infer: (_attrs, context) => [trackedTensor('int64', [], [elementCount(context.tensor(0).shape)])],
    cost: free,
  },
  constantOfShape: { kind: 'other', roles: {}, infer: inferConstantOfShape, cost: free },
  range: { kind: 'other', roles: {}, infer: inferRange, cost: perOutputElement(1) },
  eyeLike: {
    kind: 'other',
    roles: {},
    infer: ({ dtype }, context) => [tensorFact(dtype ?? context.tensor(0).dtype, context.tensor(0).shape)],
    cost: free,
  },
  random: {
    kind: 'other',
    roles: {},
    infer: ({ dtype, shape }) => [tensorFact(dtype, shape)],
    cost: perOutputElement(1),
    random: true,
  },
  randomLike: {
    kind: 'other',
    roles: {},
    infer: ({ dtype }, context) => [tensorFact(dtype ?? context.tensor(0).dtype, context.tensor(0).shape)],
    cost: perOutputElement(1),
    random: true,
  },
  multinomial: {
    kind: 'other',
    roles: {},
    infer: ({ dtype, samples }, context) => {
      const { shape } = context.tensor(0);
      return [tensorFact(dtype, shape && [extentAt(shape, 0), samples])];
    },
    cost: perOutputElement(1),
    random: true,
  },
  window: {
    kind: 'other',
    roles: {},
    infer: ({ dtype }, context) => [
      tensorFact(dtype, [context.integers(0)?.[0] ?? context.dataDependent('window_length')]),
    ],
    cost: perOutputElement(1),
  },
  melWeights: { kind: 'other', roles: {}, infer: inferMelWeights, cost: perOutputElement(1) },
};
