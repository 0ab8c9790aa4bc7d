import { DTYPES, type DType } from '../../ir/dtype.ts';
import { isObject, type Json, member, textOf } from './json.ts';

/** What a layer computes in, and what its weights are kept as. */
export interface DTypePolicy {
  readonly compute: DType;
  readonly variable: DType;
}

const MIXED: Readonly<Record<string, DTypePolicy>> = {
  mixed_float16: { compute: 'float16', variable: 'float32' },
  mixed_bfloat16: { compute: 'bfloat16', variable: 'float32' },
};

/**
 * Reads `dtype` of a layer: a type, the name of a policy, or an object around one. Quantised policies
 * (`int8_from_mixed_bfloat16`) name the policy that they came from. Null for what is none of them.
 */
export function dtypePolicy(value: Json | undefined): DTypePolicy | null {
  if (isObject(value)) {
    const config = member(value, 'config');
    return dtypePolicy(member(config, 'name') ?? member(config, 'default_policy') ?? member(config, 'source_name'));
  }
  const name = (textOf(value) ?? 'float32').replace(/^.*_from_/, '');
  if (Object.hasOwn(MIXED, name)) return MIXED[name] ?? null;
  const dtype = dtypeNamed(name);
  return dtype === null ? null : { compute: dtype, variable: dtype };
}

/** NumPy's and TensorFlow's names of types are the graph's own. */
export function dtypeNamed(name: string): DType | null {
  return isDType(name) ? name : null;
}

const isDType = (name: string): name is DType => Object.hasOwn(DTYPES, name);
