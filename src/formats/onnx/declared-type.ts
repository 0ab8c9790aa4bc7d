import { type Dim, symbolicDim } from '../../ir/dim.ts';
import type { DType } from '../../ir/dtype.ts';
import { DscAuditError } from '../../ir/errors.ts';
import type { Shape } from '../../ir/fact.ts';
import { MAX_RANK } from '../limits.ts';
import { dataType } from './data-type.ts';
import type { TypeProto } from './proto.ts';

/** The type that a file declares for a value. */
export interface DeclaredType {
  readonly dtype: DType | null;
  readonly shape: Shape | null;
}

/** Extents that nobody named get a name of their own: `input:2` is the third of `input`. */
export const anonymousDim = (value: string, axis: number): string => `${value}:${axis}`;

/** A tensor's declared type; null for sequences and maps, and where nothing is declared. */
export function declaredType(value: string, type: TypeProto | null | undefined): DeclaredType | null {
  const tensor = type?.tensorType ?? type?.optionalType?.elemType?.tensorType ?? type?.sparseTensorType;
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
