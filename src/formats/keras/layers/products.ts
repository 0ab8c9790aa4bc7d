/** A plain matrix product. */
export const MATMUL = {
  transposeA: false,
  transposeB: false,
  rotateA: false,
  rotateB: false,
  alpha: 1,
  activation: null,
  result: 'same',
} as const;
