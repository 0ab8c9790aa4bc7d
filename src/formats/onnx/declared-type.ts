import { type Dim, symbolicDim } from '../../ir/dim.ts';
import { DscAuditError } from '../../ir/errors.ts';
import { MAX_RANK } from '../../ir/fact.ts';
import type { Declared } from '../../ir/graph.ts';
import { dataType } from './data-type.ts';
import type { TypeProto } from './proto.ts';

/** Extents that nobody named get a name of their own: `input:2` is the third of `input`. */
const anonymousDim = (value: string, axis: number): string => `${value}:${axis}`;

/** A value's declared type; null for maps, and where nothing is declared. */
export function declaredType(value: string, type: TypeProto | null | undefined): Declared | null {
  const inner = type?.optionalType?.elemType ?? type;
  const item = inner?.sequenceType?.elemType;
  const tensor = (item ?? inner)?.tensorType ?? inner?.sparseTensorType;
  if (!tensor) return null;
  const dims = tensor.shape?.dim;
  if (dims && dims.length > MAX_RANK) {
    throw new DscAuditError(
      'limit-exceeded',
      `tensor '${value}' has ${dims.length} axes; at most ${MAX_RANK} are read.`,
    );
  }
  return {
    dtype: dataType(tensor.elemType),
    shape: tensor.shape ? (dims ?? []).map((dim, axis) => declaredDim(value, axis, dim)) : null,
    isSequence: Boolean(item),
  };
}

/** −1 is how some exporters spell "any". */
function declaredDim(
  value: string,
  axis: number,
  dim: { dimValue?: unknown; dimParam?: string | null | undefined },
): Dim {
  if (dim.dimParam) return symbolicDim(dim.dimParam);
  if (dim.dimValue === undefined || dim.dimValue === null) return symbolicDim(anonymousDim(value, axis));
  const extent = Number(dim.dimValue);
  if (extent === -1) return symbolicDim(anonymousDim(value, axis));
  if (extent < 0 || !Number.isSafeInteger(extent)) {
    throw new DscAuditError('malformed-model', `tensor '${value}' declares a dimension of ${extent}.`);
  }
  return extent;
}
