import type { Layer, ProfileSection } from '../../audit/report.ts';
import { algorithmOf } from '../../audit/saved-products.ts';
import { latency } from '../units.ts';
import { type Section, type Step, step } from './explanation.ts';
import { least, literal, named, product, quotient } from './expression.ts';

/** Where a layer stands under the roof of a machine, and what it is projected to take. Null where no profile was used. */
export function rooflineSection(
  { intensity, flops, latencyMs, kernel }: Layer,
  profile: ProfileSection | null,
): Section | null {
  if (profile === null) return null;
  const section = (sentences: readonly string[], steps: readonly Step[] = []): Section => ({
    id: 'roofline',
    title: 'Latency and roofline',
    sentences,
    steps,
  });
  if (latencyMs?.value === 0) return section([IS_FUSED]);
  const projected =
    latencyMs === null
      ? 'No latency is projected for this layer.'
      : `Projected: ${latency(latencyMs)}, on ${profile.machine}.`;
  const roofline = profile.roofline ?? null;
  if (roofline === null) return section([projected, NO_ENDS]);
  if (intensity === null || flops === null || flops === 0) return section([projected, NO_PLACE]);
  const { sentence, steps } = rooflineSteps(
    { intensity, flops, latencyMs: latencyMs?.value ?? null, kernel },
    roofline,
  );
  return section([projected, sentence], steps);
}

const IS_FUSED =
  'It takes no time of its own: it is done together with a layer beside it, so it has no place under the roofline.';

const NO_ENDS = 'The profile does not tell the ends of the roofline: peak compute and bandwidth.';

const NO_PLACE = 'It has no place under the roofline: it computes nothing, or its figures are not known.';

interface Ends {
  readonly flopsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** What stands under a roof. */
interface Standing {
  readonly intensity: number;
  readonly flops: number;
  readonly latencyMs: number | null;
  readonly kernel: string | null;
}

/** min(peak, intensity × bandwidth), and the time that the layer takes at least. */
export function rooflineSteps(
  { intensity, flops, latencyMs, kernel }: Standing,
  { flopsPerSecond, bytesPerSecond }: Ends,
): { readonly sentence: string; readonly steps: readonly Step[] } {
  const ridge = quotient(named('peak', flopsPerSecond), named('bandwidth', bytesPerSecond));
  const roof = least(
    named('peak', flopsPerSecond),
    product(named('intensity', intensity), named('bandwidth', bytesPerSecond)),
  );
  const underRoof = quotient(product(literal(1000), named('FLOPs', flops)), named('roof', roof.value));
  const share =
    latencyMs === null ? null : quotient(named('at the roof', underRoof.value), named('projected', latencyMs));
  const isMemoryBound = intensity < ridge.value;
  return {
    sentence: isMemoryBound
      ? 'It is bound by memory: left of the ridge, more arithmetic a byte would cost no time.'
      : 'It is bound by compute: right of the ridge, fewer MACs are less time.',
    steps: [
      step('Ridge', ridge, 'FLOPs/byte'),
      step('Roof', roof, 'FLOP/s'),
      step('At the roof', underRoof, 'ms'),
      ...(share === null ? [] : [step('Of the roof', share, 'share', noteOn(share.value, isMemoryBound, kernel))]),
    ],
  };
}

/** What lets a layer pass the roof, where it does. */
function noteOn(share: number, isMemoryBound: boolean, kernel: string | null): string {
  if (share <= 1) return 'What it reaches, as it is projected.';
  const algorithm = kernel === null ? null : algorithmOf(kernel);
  if (algorithm !== null) {
    return `Above the roof: ${kernel} is an algorithm of ${algorithm}, which multiplies less than is counted.`;
  }
  return isMemoryBound
    ? 'Above the roof: the bandwidth is that of memory, and a part of what it reads is still in a cache.'
    : 'Above the roof: the peak is measured, the time is projected, and neither is exact.';
}
