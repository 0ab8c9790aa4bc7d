import type { Report, Totals } from '../audit/report.ts';

/** Which totals lack something, as the sign that goes before them: `≥ `, or nothing. */
export interface LowerBounds {
  /** Parameters and weights are known as long as every operator is: they do not depend on extents. */
  readonly params: string;
  readonly macs: string;
  readonly activations: string;
  readonly latency: string;
}

/** What tells whether totals lack something. */
interface Bounded extends Pick<Report, 'diagnostics' | 'coverage'> {
  readonly totals: Pick<Totals, 'isLowerBound' | 'isLatencyLowerBound'>;
}

export function lowerBounds({ totals, diagnostics, coverage }: Bounded): LowerBounds {
  const sign = (lacks: boolean): string => (lacks ? '≥ ' : '');
  return {
    params: sign(diagnostics.some(({ code }) => code === 'unknown-operator')),
    macs: sign(coverage.counted < coverage.nodes),
    activations: sign(totals.isLowerBound),
    latency: sign(totals.isLatencyLowerBound),
  };
}
