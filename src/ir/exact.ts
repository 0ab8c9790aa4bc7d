import { DscAuditError } from './errors.ts';

/** Throws for what is no exact integer: integers are exact up to 2⁵³ − 1; a figure beyond is an error, never a rounded number. */
function checked(value: number): number {
  if (!Number.isSafeInteger(value)) {
    throw new DscAuditError(
      'number-overflow',
      `A figure of this model exceeds 2^53 (about ${value.toExponential(1)}): its dimensions cannot be real.`,
    );
  }
  return value;
}

/** The exact sum of integers. Throws `number-overflow` beyond 2⁵³. */
export function addExact(...terms: readonly number[]): number {
  let sum = 0;
  for (const term of terms) sum = checked(sum + term);
  return sum;
}

/** The exact sum of integers; null where one of them is not known. */
export function addKnown(terms: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const term of terms) {
    if (term === null) return null;
    sum = addExact(sum, term);
  }
  return sum;
}

/** The exact product of integers; 1 for none. Throws `number-overflow` beyond 2⁵³. */
export function multiplyExact(...factors: readonly number[]): number {
  if (factors.includes(0)) return 0;
  let product = 1;
  for (const factor of factors) product = checked(product * factor);
  return product;
}
