/** How many elements a tensor of these extents has; 1 for a scalar. Not checked: see exact.ts for figures of a report. */
export function countElements(extents: readonly number[]): number {
  let count = 1;
  for (const extent of extents) count *= extent;
  return count;
}

/** Row-major strides in elements. */
export function stridesOf(extents: readonly number[]): readonly number[] {
  const strides: number[] = [];
  let stride = 1;
  for (const extent of [...extents].reverse()) {
    strides.unshift(stride);
    stride *= extent;
  }
  return strides;
}
