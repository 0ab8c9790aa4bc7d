import { isStatic } from '../ir/dim.ts';
import { DTYPES, type DType, isFloat, isInteger } from '../ir/dtype.ts';
import type { Element } from '../ir/fact.ts';

/** Elements in another type: floats are cut towards zero when they become integers; symbols survive among integers. */
export function castElements(elements: readonly Element[], from: DType | null, to: DType): readonly Element[] | null {
  if (to === 'string' || from === 'string') return null;
  return elements.map((element) => {
    if (element === null) return null;
    if (!isStatic(element)) return isInteger(to) && to !== 'bool' ? element : null;
    if (to === 'bool') return element === 0 ? 0 : 1;
    return isFloat(to) ? representable(to, element) : representable(to, Math.trunc(element));
  });
}

/** A number as a type holds it. Null for integers that are not exact, or that the type wraps around. */
export function representable(dtype: DType | null, value: number): number | null {
  if (dtype === 'float32') return Math.fround(value);
  if (dtype === null || !isInteger(dtype)) return value;
  const { bits } = DTYPES[dtype];
  const isSigned = !dtype.startsWith('u');
  const [low, high] = isSigned ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  return Number.isSafeInteger(value) && value >= low && value <= high ? value : null;
}
