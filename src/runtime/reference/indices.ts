/** Row-major indices of the scalar reference. */

/** The elements of a tensor, each computed from its coordinates. */
export function mapCoordinates(
  shape: readonly number[],
  valueAt: (coordinates: readonly number[]) => number,
): Float32Array {
  const coordinates = shape.map(() => 0);
  const values = new Float32Array(shape.reduce((product, extent) => product * extent, 1));
  for (let index = 0; index < values.length; index++) {
    let rest = index;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const extent = shape[axis] ?? 1;
      coordinates[axis] = rest % extent;
      rest = Math.floor(rest / extent);
    }
    values[index] = valueAt(coordinates);
  }
  return values;
}

/** The flat index of coordinates; axes of extent 1 repeat, missing leading axes are left out. */
export function flatIndex(shape: readonly number[], coordinates: readonly number[]): number {
  const shift = coordinates.length - shape.length;
  return shape.reduce(
    (index, extent, axis) => index * extent + (extent === 1 ? 0 : (coordinates[axis + shift] ?? 0)),
    0,
  );
}
