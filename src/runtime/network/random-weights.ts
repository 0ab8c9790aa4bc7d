/** Weights for a model whose file has none. */
import type { Node } from '../../ir/graph.ts';
import type { OpKind } from '../../ir/operators.ts';
import { elementsOf } from '../plan/tensor.ts';
import { seededUniform } from '../random.ts';
import type { AnalysedModel } from './analysed-model.ts';
import type { FillMissing } from './constants.ts';

/**
 * Seeded weights with which activations neither vanish nor grow without bounds, also through many sums: matrices and
 * filters uniform with variance 1 / fan-in (LeCun et al., Efficient BackProp, 1998), scales, variances and whatever else
 * must not be negative about 1, other vectors about 0. A constant's elements depend on its name only, not on the order in which constants are asked for.
 */
export function randomWeights({ model, nodes }: AnalysedModel): FillMissing {
  const aboutOne = new Set(
    nodes.flatMap((node) => positiveInputs(node).map((index) => model.values[node.inputs[index] ?? -1]?.name)),
  );
  return (name, { shape }) => {
    const count = elementsOf(shape);
    const next = seededUniform(name);
    const fanIn = count / (shape[0] ?? 1);
    const isMatrix = shape.length > 1 && !aboutOne.has(name);
    const [centre, spread] = isMatrix ? [0, Math.sqrt(3 / fanIn)] : [aboutOne.has(name) ? 1 : 0, 0.1];
    return Float32Array.from({ length: count }, () => centre + spread * next());
  };
}

/** Inputs that hold scales and variances, are divided by, or have no root or logarithm below 0. */
function positiveInputs(node: Node): readonly number[] {
  if (node.kind === 'unary') return ROOTS.has(node.attrs.fn) ? [0] : [];
  if (node.kind === 'binary') return node.attrs.fn === 'div' ? [1] : [];
  return NORM_SCALES.get(node.kind) ?? [];
}

const ROOTS: ReadonlySet<string> = new Set(['sqrt', 'rsqrt', 'log', 'reciprocal']);

const NORM_SCALES: ReadonlyMap<OpKind, readonly number[]> = new Map([
  ['batchNorm', [1, 4]],
  ['layerNorm', [1]],
  ['groupNorm', [1]],
  ['instanceNorm', [1]],
]);
