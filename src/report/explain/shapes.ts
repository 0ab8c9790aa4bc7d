import type { ReportedShape } from '../../audit/report.ts';
import { type Expression, factorsNamed, named } from './expression.ts';

/** All extents as numbers; null where one is not known. */
export function axes(shape: ReportedShape | undefined): readonly number[] | null {
  if (!shape) return null;
  const known = shape.filter((dim) => typeof dim === 'number');
  return known.length === shape.length ? known : null;
}

export function elementsOf(shape: ReportedShape | undefined): number | null {
  return axes(shape)?.reduce((product, extent) => product * extent, 1) ?? null;
}

const SPATIAL = [[], ['L'], ['H', 'W'], ['D', 'H', 'W']] as const;

/**
 * The positions that a convolution's tensor has: batch (where it is above 1) and spatial extents, without the axis of
 * channels, which is the second or the last. Null where the shape has no such axis.
 */
export function positionsOf(
  shape: ReportedShape | undefined,
  channels: number,
  suffix = '',
): readonly Expression[] | null {
  const extents = axes(shape);
  if (extents === null || extents.length < 2) return null;
  const [batch = 1, ...rest] = extents;
  const spatial = rest[0] === channels ? rest.slice(1) : rest.at(-1) === channels ? rest.slice(0, -1) : null;
  if (spatial === null) return null;
  const names: readonly string[] = SPATIAL[spatial.length] ?? spatial.map((_, axis) => `X${axis + 1}`);
  const written = spatial.map((extent, axis) => named(`${names[axis]}${suffix}`, extent));
  return batch === 1 && written.length > 0 ? written : [named('B', batch), ...written];
}

/** ∏k as it is written: k² of a square kernel. */
export function kernelPositions(kernel: readonly number[]): Expression {
  const [first = 1] = kernel;
  if (kernel.length === 1) return named('k', first);
  const isCube = kernel.every((extent) => extent === first);
  const power = kernel.length === 2 ? '²' : kernel.length === 3 ? '³' : null;
  const symbols = isCube && power !== null ? `k${power}` : '∏k';
  // ∏k binds like one symbol, whatever stands for it.
  return factorsNamed(symbols, kernel);
}
