import type { Report, ReportedDiagnostic } from '../audit/report.ts';
import type { FailedModel, ModelSummary } from './model-summary.ts';

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

/** What is said of a call over several models: each sentence once. */
export function notesOfCall(models: readonly (ModelSummary | FailedModel)[]): readonly ReportedDiagnostic[] {
  const notes = models.flatMap((model) => (model.failure === null ? model.notes : []));
  return [...new Map(notes.map((note) => [note.message, note])).values()];
}
