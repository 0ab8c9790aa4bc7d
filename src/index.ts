/** The library: `audit` gives the report that the command prints, `rewrite` writes the converted model. */
export { type AuditOptions, audit } from './audit/audit.ts';
export type * from './audit/report.ts';
export { type RewriteOptions, rewrite } from './audit/rewrite.ts';
export type * from './audit/rewrite-report.ts';
export type { RejectionReason } from './dsc/eligibility.ts';
export { DscAuditError, type ErrorCode } from './ir/errors.ts';
export type { LayerKind } from './ops/op-def.ts';
