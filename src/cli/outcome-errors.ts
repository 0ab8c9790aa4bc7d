import type { DscAuditError } from '../ir/errors.ts';

/** A budget was exceeded, or could not be determined; the report has said which. */
export class BudgetsNotHeld extends Error {}

/** Models of a call that could not be audited; the others were. */
export class UnusableModels extends Error {
  readonly failures: readonly DscAuditError[];

  constructor(failures: readonly DscAuditError[]) {
    super(failures.map(({ message }) => message).join('; '));
    this.failures = failures;
  }
}
