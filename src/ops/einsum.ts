import type { Dim } from '../ir/dim.ts';
import type { Shape } from '../ir/fact.ts';
import { ShapeConflict } from './op-def.ts';
import { broadcastDim, extentAt } from './shape-rules.ts';

/** An einsum equation with its ellipses written out as labels of their own (`.0`, `.1`, …, aligned at the end). */
export interface Einsum {
  readonly operands: readonly (readonly string[])[];
  readonly output: readonly string[];
}

/** Characters of an equation. Letters name the indices, and there are 52 of them. */
const MAX_EQUATION_LENGTH = 512;

/** Reads `bij,bjk->bik`, ellipses and the implicit output (labels that occur once, in alphabetical order) included. */
export function parseEinsum(equation: string, ranks: readonly number[]): Einsum {
  if (equation.length > MAX_EQUATION_LENGTH) throw new ShapeConflict('an equation beyond all measure');
  const [left = '', right] = equation.replaceAll(/\s/g, '').split('->');
  const terms = left.split(',');
  if (terms.length !== ranks.length)
    throw new ShapeConflict(`an equation of ${terms.length} operands for ${ranks.length}`);
  const ellipsis = Math.max(0, ...terms.map((term, index) => hiddenAxes(term, ranks[index] ?? 0)));
  const operands = terms.map((term, index) => labels(term, hiddenAxes(term, ranks[index] ?? 0), ellipsis));
  const output = right === undefined ? implicitOutput(operands, ellipsis) : labels(right, ellipsis, ellipsis);
  return { operands, output };
}

/** The extent of every label. */
export function einsumExtents({ operands }: Einsum, shapes: readonly Shape[]): ReadonlyMap<string, Dim> {
  const extents = new Map<string, Dim>();
  operands.forEach((operand, index) => {
    const shape = shapes[index] ?? [];
    if (operand.length !== shape.length) throw new ShapeConflict(`${operand.length} labels for ${shape.length} axes`);
    operand.forEach((label, axis) => {
      const extent = extentAt(shape, axis);
      extents.set(label, broadcastDim(extents.get(label) ?? 1, extent));
    });
  });
  return extents;
}

function hiddenAxes(term: string, rank: number): number {
  return term.includes('...') ? Math.max(0, rank - (term.length - 3)) : 0;
}

function labels(term: string, hidden: number, ellipsis: number): readonly string[] {
  const [before = '', after = ''] = term.split('...');
  const dots = Array.from({ length: hidden }, (_, index) => `.${ellipsis - hidden + index}`);
  return term.includes('...') ? [...before, ...dots, ...after] : [...term];
}

function implicitOutput(operands: readonly (readonly string[])[], ellipsis: number): readonly string[] {
  const all = operands.flat();
  const once = all.filter((label) => !label.startsWith('.') && all.indexOf(label) === all.lastIndexOf(label));
  return [...Array.from({ length: ellipsis }, (_, index) => `.${index}`), ...once.sort()];
}
