import { byteSize, type DType } from '../../ir/dtype.ts';
import { readElements } from '../../ir/elements.ts';
import { DscAuditError } from '../../ir/errors.ts';
import { countElements } from '../../ir/extents.ts';

/** Numbers of a file, row-major. Of whatever type they were, they are float32 now. */
export interface NumberArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Raw, little-endian elements as numbers. Throws `cannot-read` where they do not fill the shape. */
export function numberArray(file: string, dtype: DType, shape: readonly number[], bytes: Uint8Array): NumberArray {
  const elements = countElements(shape);
  if (!Number.isSafeInteger(elements) || byteSize(dtype, elements) !== bytes.length) {
    throw new DscAuditError(
      'cannot-read',
      `${file}: holds ${bytes.length} bytes where ${shape.join('x')} elements of ${dtype} are announced.`,
    );
  }
  if (dtype === 'float32') return { shape, data: new Float32Array(new Uint8Array(bytes).buffer) };
  const numbers = readElements({
    dtype,
    shape,
    origin: 'inline',
    data: { byteLength: bytes.length, read: () => bytes },
  });
  if (numbers === null) throw new DscAuditError('cannot-read', `${file}: elements of type ${dtype} cannot be read.`);
  return { shape, data: Float32Array.from(numbers) };
}
