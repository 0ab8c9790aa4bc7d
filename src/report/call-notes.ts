import type { Report, ReportedDiagnostic } from '../audit/report.ts';

/** What is said of the profile, which all models of a call share: of several, it is said once. */
const CODES: ReadonlySet<ReportedDiagnostic['code']> = new Set([
  'reference-profile',
  'profile-refused',
  'profile-of-other-runtime',
]);

export const callNotes = ({ diagnostics }: Report): readonly ReportedDiagnostic[] =>
  diagnostics.filter(({ code }) => CODES.has(code));

export const modelNotes = ({ diagnostics }: Report): readonly ReportedDiagnostic[] =>
  diagnostics.filter(({ code }) => !CODES.has(code));
