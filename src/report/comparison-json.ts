import { type Comparison, type Report, SCHEMA_VERSION } from '../audit/report.ts';
import type { MeasuredReport } from '../gate/measured-report.ts';
import type { ComparisonFormat } from './comparison-format.ts';
import { jsonText } from './json.ts';

/** What `dsc-audit diff --format json` prints. */
export interface ComparisonReport extends Comparison {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly tool: Report['tool'];
  /** The model after, and what the audit says of it. */
  readonly model: Report['model'];
  readonly diagnostics: MeasuredReport['diagnostics'];
}

export const comparisonJson: ComparisonFormat = (comparison, { model, diagnostics }) => {
  const report: ComparisonReport = {
    schemaVersion: SCHEMA_VERSION,
    tool: { name: 'dsc-audit', version: __DSC_AUDIT_VERSION__ },
    model,
    ...comparison,
    diagnostics,
  };
  return jsonText(report);
};
