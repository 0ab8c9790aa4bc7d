/** How many elements a tensor of these extents has; 1 for a scalar. Not checked: see exact.ts for figures of a report. */
export function countElements(extents: readonly number[]): number {
  let count = 1;
  for (const extent of extents) count *= extent;
  return count;
}
