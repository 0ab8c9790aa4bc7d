/** Layers as amounts of work for runtimes whose plans are not known: what the operator says, and which memory it touches. */
import { staticExtents } from '../../ir/fact.ts';
import type { Node, ValueId } from '../../ir/graph.ts';
import type { AnalysedModel } from '../../runtime/network/analysed-model.ts';
import { elementsOf } from '../../runtime/plan/tensor.ts';
import { MAPPED, type Work } from '../program-work.ts';
import { addByDistance, DISTANCES } from '../reuse.ts';

/** A node's work; null where a shape is not known. */
export function layerWork(source: AnalysedModel, node: Node): Work | null {
  const [output] = node.outputs.map((id) => extentsOf(source, id));
  const inputs = node.inputs.filter((id) => id !== null).map((id) => ({ id, shape: extentsOf(source, id) }));
  if (!output || inputs.some(({ shape }) => shape === null)) return null;
  const bytes = 4 * inputs.reduce((sum, { shape }) => sum + elementsOf(shape ?? []), elementsOf(output));
  const { group, terms } = kindOf(source, node, output);
  return { group, terms: { ...terms, bytes, ...byDistance(bytes) } };
}

/** Bytes by how much the layer touches in all: what is more than a cache holds comes from the next one. */
function byDistance(bytes: number): Readonly<Record<string, number>> {
  const sums = DISTANCES.map(() => 0);
  addByDistance(sums, bytes, bytes);
  return Object.fromEntries(
    sums.flatMap((sum, index) => (sum > 0 ? [[`bytesFrom${(DISTANCES[index] ?? 0) / 1024}KB`, sum]] : [])),
  );
}

function kindOf(source: AnalysedModel, node: Node, output: readonly number[]): Work {
  const elements = elementsOf(output);
  switch (node.kind) {
    case 'conv': {
      const weight = extentsOf(source, node.inputs[1] ?? null) ?? [];
      const { groups, strides } = node.attrs;
      const each = elementsOf(weight.slice(1));
      const taps = elementsOf(weight.slice(2));
      const isDepthwise = groups > 1 && groups === weight[0];
      const form = isDepthwise ? 'depthwise' : groups > 1 ? 'grouped' : taps === 1 ? 'pointwise' : 'standard';
      const stride = strides.some((step) => step > 1) ? ', strided' : '';
      return {
        group: `${form} convolution${stride}`,
        terms: { multiplyAdds: elements * each, elements, patches: (elements / (weight[0] ?? 1)) * each },
      };
    }
    case 'gemm':
    case 'matmul': {
      const input = extentsOf(source, node.inputs[0] ?? null) ?? [];
      return { group: 'dense', terms: { multiplyAdds: elements * (input.at(-1) ?? 1), elements } };
    }
    case 'pool': {
      const taps = elementsOf(node.attrs.kernel ?? []);
      return { group: `${node.attrs.fn} pool`, terms: { taps: elements * taps, elements } };
    }
    case 'unary':
      return { group: 'unary', terms: { [`${MAPPED}${node.attrs.fn}`]: elements / 4 } };
    case 'clip':
      return { group: 'unary', terms: { [`${MAPPED}relu`]: elements / 4 } };
    default:
      return { group: ALIKE[node.kind] ?? node.kind, terms: { elements } };
  }
}

/** Kinds that are not timed, and what they do as much work as: arithmetic by element, a mean, a copy. */
const ALIKE: Readonly<Partial<Record<Node['kind'], Node['kind']>>> = {
  batchNorm: 'binary',
  reduce: 'globalPool',
  transpose: 'concat',
  slice: 'concat',
  split: 'concat',
  pad: 'concat',
  gather: 'concat',
};

export function extentsOf({ facts }: AnalysedModel, id: ValueId | null): readonly number[] | null {
  return id === null ? null : staticExtents(facts[id]);
}

export function isConstant({ facts }: AnalysedModel, id: ValueId): boolean {
  const fact = facts[id];
  return fact?.type === 'tensor' && fact.constant;
}
