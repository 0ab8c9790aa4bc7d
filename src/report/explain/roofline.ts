import type { Layer, ProfileSection } from '../../audit/report.ts';
import { latency } from '../units.ts';
import { type Section, type Step, step } from './explanation.ts';
import { least, literal, named, product, quotient } from './expression.ts';

/** Where a layer stands under the roof of a machine, and what it is projected to take. Null where no profile was used. */
export function rooflineSection(
  { intensity, flops, latencyMs }: Layer,
  profile: ProfileSection | null,
): Section | null {
  if (profile === null) return null;
  const roofline = profile.roofline ?? null;
  const worked =
    roofline === null || intensity === null || flops === null || flops === 0
      ? null
      : rooflineSteps(intensity, flops, latencyMs?.value ?? null, roofline);
  const projected =
    latencyMs === null
      ? 'No latency is projected for this layer.'
      : `Projected: ${latency(latencyMs)}, on ${profile.machine}.`;
  const isFree =
    latencyMs?.value === 0 ? ['It takes no time of its own: it is done together with a layer beside it.'] : [];
  const without =
    roofline === null
      ? 'The profile does not tell the ends of the roofline: peak compute and bandwidth.'
      : 'It has no place under the roofline: it computes nothing, or its figures are not known.';
  return {
    id: 'roofline',
    title: 'Latency and roofline',
    sentences: [projected, ...isFree, worked?.sentence ?? without],
    steps: worked?.steps ?? [],
  };
}

interface Ends {
  readonly flopsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** min(peak, intensity × bandwidth), and the time that the layer takes at least. */
export function rooflineSteps(
  intensity: number,
  flops: number,
  projectedMs: number | null,
  { flopsPerSecond, bytesPerSecond }: Ends,
): { readonly sentence: string; readonly steps: readonly Step[] } {
  const ridge = quotient(named('peak', flopsPerSecond), named('bandwidth', bytesPerSecond));
  const roof = least(
    named('peak', flopsPerSecond),
    product(named('intensity', intensity), named('bandwidth', bytesPerSecond)),
  );
  const atLeast = quotient(product(literal(1000), named('FLOPs', flops)), named('roof', roof.value));
  const share =
    projectedMs === null || projectedMs === 0
      ? null
      : quotient(named('least', atLeast.value), named('projected', projectedMs));
  return {
    sentence:
      intensity < ridge.value
        ? 'It is bound by memory: left of the ridge, more arithmetic a byte would cost no time.'
        : 'It is bound by compute: right of the ridge, fewer MACs are less time.',
    steps: [
      step('Ridge', ridge, 'FLOPs/byte'),
      step('Roof', roof, 'FLOP/s'),
      step('At least', atLeast, 'ms'),
      ...(share === null ? [] : [step('Of the roof', share, 'share', 'What it reaches, as it is projected.')]),
    ],
  };
}
