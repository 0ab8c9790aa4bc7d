import * as v from 'valibot';
import { SCHEMA_VERSION } from '../audit/report.ts';
import { DscAuditError } from '../ir/errors.ts';
import type { MeasuredReport } from './measured-report.ts';
import { issueText } from './schema-issues.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const figure = v.nullable(count);
const time = v.pipe(v.number(), v.finite(), v.minValue(0));
const parameters = v.object({ total: count, trainable: count });
const shape = v.nullable(v.array(v.union([count, v.string()])));
const extents = v.array(v.pipe(v.number(), v.safeInteger()));

const tensor = v.object({ name: v.string(), dtype: v.nullable(v.string()), shape });

const conv = v.object({
  inChannels: count,
  outChannels: count,
  kernel: extents,
  strides: extents,
  dilations: extents,
  pads: v.nullable(extents),
  groups: count,
  bias: v.boolean(),
});

const layer = v.object({
  name: v.string(),
  op: v.string(),
  inputShapes: v.array(shape),
  outputShapes: v.array(shape),
  conv: v.nullable(conv),
  params: parameters,
  macs: figure,
  flops: figure,
});

/** What the gate reads of a report. Keys that later versions add are let be. */
const REPORT = v.object({
  model: v.object({
    name: v.string(),
    path: v.string(),
    format: v.picklist(['onnx', 'keras']),
    producer: v.nullable(v.string()),
    opsets: v.record(v.string(), count),
    fileBytes: figure,
    bindings: v.record(v.string(), count),
    inputs: v.array(tensor),
    outputs: v.array(tensor),
  }),
  coverage: v.object({ nodes: count, counted: count }),
  totals: v.object({
    params: parameters,
    macs: count,
    flops: count,
    weightBytes: count,
    activationBytes: count,
    peakActivationBytes: figure,
    latencyMs: v.nullable(v.object({ value: time, low: time, high: time })),
    isLatencyLowerBound: v.optional(v.boolean(), false),
    isLowerBound: v.boolean(),
  }),
  layers: v.array(layer),
  dsc: v.object({ projection: v.object({ convertibleMacs: count }) }),
  profile: v.nullable(v.object({ id: v.string(), source: v.picklist(['reference', 'machine', 'file']) })),
  diagnostics: v.array(
    v.object({
      code: v.string(),
      severity: v.picklist(['info', 'warning']),
      message: v.string(),
      layer: v.nullable(v.string()),
    }),
  ),
});

const HEAD = v.object({ schemaVersion: v.string(), tool: v.object({ name: v.literal('dsc-audit') }) });

const MAJOR = SCHEMA_VERSION.split('.')[0];

/**
 * Reports from JSON that anybody may have written: one, or a list as `--format json` prints for several models.
 *
 * @param content the parsed JSON
 * @param path its file, for messages
 * @throws {DscAuditError} `invalid-report` where it is none, or one of another schema version
 */
export function checkReports(content: unknown, path: string): readonly MeasuredReport[] {
  const isList = Array.isArray(content);
  const reports: readonly unknown[] = isList ? content : [content];
  return reports.map((report, index) => checkReport(report, isList ? `${path}[${index}]` : path));
}

/** Whether JSON says of itself that it is a report, or a list of them; it may still be damaged. */
export function isReport(content: unknown): boolean {
  return v.is(HEAD, Array.isArray(content) ? content[0] : content);
}

function checkReport(content: unknown, path: string): MeasuredReport {
  const head = v.safeParse(HEAD, content);
  if (!head.success) {
    throw new DscAuditError('invalid-report', `${path}: is no report of dsc-audit: make one with --format json.`);
  }
  const { schemaVersion } = head.output;
  if (schemaVersion.split('.')[0] !== MAJOR) {
    const what = `has the schema version '${schemaVersion}', and ${SCHEMA_VERSION} is read here: make it anew with this version of dsc-audit.`;
    throw new DscAuditError('invalid-report', `${path}: ${what}`);
  }
  const result = v.safeParse(REPORT, content, { abortEarly: true });
  if (result.success) return result.output;
  throw new DscAuditError('invalid-report', `${path}: is a damaged report: ${issueText(REPORT, result.issues[0])}`);
}
