/** A list of names as one key of a map: no name of a layer or of a group has a zero in it. */
export const pathKey = (path: readonly string[]): string => path.join('\0');
