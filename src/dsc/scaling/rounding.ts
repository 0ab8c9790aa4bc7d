/** How a scaled number of channels becomes whole. */
export const ROUNDINGS = {
  /** To a multiple of 8, and never below nine tenths (MobileNetV2's published implementations). */
  '8': (channels: number, divisor: number) => roundTo(channels, leastMultipleOf8(divisor)),
  /** Down (MobileNetV1, 1704.04861). */
  none: (channels: number, divisor: number) => Math.max(divisor, Math.floor(channels / divisor) * divisor),
} as const satisfies Record<string, (channels: number, divisor: number) => number>;

export type Rounding = keyof typeof ROUNDINGS;

function roundTo(channels: number, multiple: number): number {
  const nearest = Math.max(multiple, Math.floor((channels + multiple / 2) / multiple) * multiple);
  return nearest < 0.9 * channels ? nearest + multiple : nearest;
}

/** A multiple of 8 that the divisor divides, where the divisor is a power of two or 1: else the divisor itself. */
function leastMultipleOf8(divisor: number): number {
  if (8 % divisor === 0) return 8;
  return divisor % 8 === 0 ? divisor : divisor * 8;
}
