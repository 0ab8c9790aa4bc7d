/** The roofline model (Williams, Waterman and Patterson, CACM 2009): min(peak compute, intensity × bandwidth). */

/** Its ends, as they were measured with all threads of a fit. */
export interface Roofline {
  /** Floating-point operations a second, operands in a near cache. */
  readonly flopsPerSecond: number;
  /** Bytes a second read and written, each once, from and to memory behind all caches. */
  readonly bytesPerSecond: number;
}

/** What holds a computation up under the roof. */
export type Bound = 'compute-bound' | 'memory-bound';

/** The intensity, in FLOPs per byte, from which on compute is the limit. */
export const ridgeOf = ({ flopsPerSecond, bytesPerSecond }: Roofline): number => flopsPerSecond / bytesPerSecond;

/** Null where the intensity or the machine is not known, and for what computes nothing. */
export function boundOf(intensity: number | null, roofline: Roofline | null): Bound | null {
  if (intensity === null || intensity === 0 || roofline === null) return null;
  return intensity < ridgeOf(roofline) ? 'memory-bound' : 'compute-bound';
}
