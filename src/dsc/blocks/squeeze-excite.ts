import type { ValueId } from '../../ir/graph.ts';
import type { OpKind } from '../../ir/operators.ts';
import { activation } from './conv-units.ts';
import type { SqueezeExcite } from './element.ts';
import { type Flow, type FlowStep, onlyReader } from './flow.ts';

/** Finds every squeeze-and-excite: pool → dense → activation → dense → gate, times what was pooled. */
export function squeezeExcites(flow: Flow): readonly SqueezeExcite[] {
  return flow.steps.flatMap((step) => (isGlobalPool(step) ? (squeezeExcite(flow, step) ?? []) : []));
}

/** A global pool, or a mean over all spatial axes, however it is spelt: only the product below tells for sure. */
function isGlobalPool({ node }: FlowStep): boolean {
  return node.kind === 'globalPool' || node.kind === 'pool' || (node.kind === 'reduce' && node.attrs.fn === 'mean');
}

/** Operators between the pool and the product. */
const MAX_STEPS = 16;

const DENSE: ReadonlySet<OpKind> = new Set(['conv', 'gemm', 'matmul']);

const PASSING: ReadonlySet<OpKind> = new Set([
  'binary',
  'clip',
  'expand',
  'flatten',
  'reshape',
  'squeeze',
  'transpose',
  'unary',
  'unsqueeze',
]);

function squeezeExcite(flow: Flow, pool: FlowStep): SqueezeExcite | null {
  const [input] = pool.inputs;
  if (input === undefined) return null;
  const steps = [pool.index];
  let dense = 0;
  let value: ValueId | undefined = pool.outputs[0];
  while (value !== undefined && steps.length < MAX_STEPS) {
    const next = onlyReader(flow, value);
    if (next !== null && isProduct(next) && next.inputs.includes(input))
      return dense === 2 ? closed(input, next, steps) : null;
    const swish = next === null ? activation(flow, value) : null;
    if (swish !== null) {
      steps.push(...swish.steps);
      value = swish.output;
      continue;
    }
    if (next === null || next.inputs.length !== 1) return null;
    if (DENSE.has(next.node.kind)) dense += 1;
    else if (!PASSING.has(next.node.kind)) return null;
    steps.push(next.index);
    value = next.outputs[0];
  }
  return null;
}

const isProduct = ({ node, inputs }: FlowStep): boolean =>
  node.kind === 'binary' && node.attrs.fn === 'mul' && inputs.length === 2;

function closed(input: ValueId, product: FlowStep, steps: readonly number[]): SqueezeExcite | null {
  const [output] = product.outputs;
  if (output === undefined) return null;
  return { type: 'squeeze-excite', input, output, steps: [...steps, product.index].sort((a, b) => a - b) };
}
