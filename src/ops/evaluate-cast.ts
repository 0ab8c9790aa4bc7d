import { isStatic } from '../ir/dim.ts';
import { type DType, isFloat, isInteger } from '../ir/dtype.ts';
import type { Element } from '../ir/fact.ts';

/** Elements in another type: floats are cut towards zero when they become integers; symbols survive among integers. */
export function castElements(elements: readonly Element[], from: DType | null, to: DType): readonly Element[] | null {
  if (to === 'string' || from === 'string') return null;
  return elements.map((element) => {
    if (element === null) return null;
    if (!isStatic(element)) return isInteger(to) && to !== 'bool' ? element : null;
    if (to === 'bool') return element === 0 ? 0 : 1;
    return isFloat(to) ? roundTo(to, element) : Math.trunc(element);
  });
}

/** A number as a type holds it. */
export function roundTo(dtype: DType | null, value: number): number {
  return dtype === 'float32' ? Math.fround(value) : value;
}
