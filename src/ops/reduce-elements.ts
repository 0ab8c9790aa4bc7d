import { countElements } from '../ir/extents.ts';
import { type Element, MAX_TRACKED_ELEMENTS, staticShape, type TensorFact } from '../ir/fact.ts';

/** Gathers the elements that fall together when `axes` are reduced, and combines each group; null where not tracked. */
export function reduceGroups(
  { elements, shape }: TensorFact,
  axes: readonly number[],
  combine: (elements: readonly Element[]) => Element,
): readonly Element[] | null {
  const extents = staticShape(shape);
  if (elements === null || extents === null || extents.some((extent) => extent > MAX_TRACKED_ELEMENTS)) return null;
  const kept = extents.filter((_, axis) => !axes.includes(axis));
  const count = countElements(kept);
  if (count > MAX_TRACKED_ELEMENTS) return null;
  const groups: Element[][] = Array.from({ length: count }, () => []);
  elements.forEach((element, index) => {
    let rest = index;
    let group = 0;
    let stride = 1;
    for (let axis = extents.length - 1; axis >= 0; axis--) {
      const extent = extents[axis] ?? 1;
      if (!axes.includes(axis)) {
        group += (rest % extent) * stride;
        stride *= extent;
      }
      rest = Math.floor(rest / extent);
    }
    groups[group]?.push(element);
  });
  return groups.map(combine);
}
