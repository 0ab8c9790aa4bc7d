import { isList, type Json } from '../json.ts';

/** Numbers of a file, with the shape that they are listed in. */
export interface NumberArray {
  readonly values: readonly number[];
  readonly shape: readonly number[];
}

/** Null for what is no number, or lists of unequal lengths. */
export function numberArray(value: Json | undefined): NumberArray | null {
  if (typeof value === 'number') return { values: [value], shape: [] };
  if (!isList(value)) return null;
  const items = value.map(numberArray);
  const [first] = items;
  const known = items.filter((item) => item !== null);
  const inner = first?.shape ?? [];
  if (known.length < items.length || known.some(({ shape }) => shape.join() !== inner.join())) return null;
  return { values: known.flatMap(({ values }) => values), shape: [value.length, ...inner] };
}
