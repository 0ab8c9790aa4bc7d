import type { Layer, Report } from '../audit/report.ts';
import type { Severity } from '../ir/diagnostic.ts';

/** As much of a report as the gate reads: of this audit, or of a baseline that another version wrote. */
export interface MeasuredReport {
  readonly model: Report['model'];
  readonly coverage: Pick<Report['coverage'], 'nodes' | 'counted'>;
  readonly totals: Report['totals'];
  readonly layers: readonly MeasuredLayer[];
  readonly dsc: { readonly projection: Pick<Report['dsc']['projection'], 'convertibleMacs'> };
  readonly profile: Pick<NonNullable<Report['profile']>, 'id' | 'source'> | null;
  readonly diagnostics: readonly {
    readonly code: string;
    readonly severity: Severity;
    readonly message: string;
    readonly layer: string | null;
  }[];
}

export type MeasuredLayer = Pick<
  Layer,
  'name' | 'op' | 'inputShapes' | 'outputShapes' | 'conv' | 'params' | 'macs' | 'flops'
>;
