import type { Layer, Report } from '../audit/report.ts';

/** As much of a report as the gate reads: of this audit, or of a baseline that another version wrote. */
export interface MeasuredReport {
  readonly model: Pick<Report['model'], 'name' | 'path' | 'fileBytes'>;
  readonly coverage: Pick<Report['coverage'], 'nodes' | 'counted'>;
  readonly totals: Report['totals'];
  readonly layers: readonly MeasuredLayer[];
  readonly dsc: { readonly projection: Pick<Report['dsc']['projection'], 'convertibleMacs'> };
  readonly profile: Pick<NonNullable<Report['profile']>, 'id' | 'source'> | null;
  readonly diagnostics: readonly { readonly code: string }[];
}

export type MeasuredLayer = Pick<
  Layer,
  'name' | 'op' | 'inputShapes' | 'outputShapes' | 'conv' | 'params' | 'macs' | 'flops'
>;
