import type { Layer, Report } from '../../audit/report.ts';
import { SCHEMA_VERSION } from '../../audit/report.ts';
import { jsonText } from '../json.ts';
import type { Explanation } from './explanation.ts';

/** What is explained: a word, a model or a layer of it. */
export interface Explained {
  readonly explanation: Explanation;
  readonly report: Report | null;
  readonly layer: Layer | null;
}

/** The same as plain data: symbols, the numbers in their place, values. */
export function renderExplanationJson({ explanation, report, layer }: Explained): string {
  return jsonText({
    schemaVersion: SCHEMA_VERSION,
    tool: report?.tool ?? { name: 'dsc-audit', version: __DSC_AUDIT_VERSION__ },
    model: report?.model ?? null,
    layer,
    ...explanation,
  });
}
