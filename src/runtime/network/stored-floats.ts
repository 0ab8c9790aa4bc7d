import { readElements } from '../../ir/elements.ts';
import type { Constant } from '../../ir/graph.ts';

/** The elements of a constant with these bytes as floats; null where they are no numbers. */
export function floatsIn(constant: Constant, bytes: Uint8Array): Float32Array | null {
  if (constant.dtype === 'float32') return new Float32Array(new Uint8Array(bytes).buffer);
  const elements = readElements(constant);
  return elements === null ? null : Float32Array.from(elements);
}

/** The elements of a constant as floats; null where the file does not have them, or they are no numbers. */
export function storedFloats(constant: Constant): Float32Array | null {
  const bytes = constant.data.read();
  return bytes === null ? null : floatsIn(constant, bytes);
}
