/** Reference text for an error: `code` is stable for programs, the message is one clear sentence for people. */
export type ErrorCode =
  | 'cannot-read'
  | 'cannot-write'
  | 'not-a-model'
  | 'malformed-model'
  | 'limit-exceeded'
  | 'unbound-dimensions'
  | 'invalid-option'
  | 'invalid-configuration'
  | 'invalid-report'
  | 'number-overflow'
  | 'cannot-run'
  | 'cannot-scale'
  | 'wrong-input'
  | 'cannot-rewrite'
  | 'target-out-of-reach'
  | 'not-a-profile'
  | 'backend-missing'
  | 'interrupted';

/**
 * Trouble that the user can mend: the command line, the model file or its folder. The command exits 2 with the message
 * and without a stack trace. Any other exception is a bug in dsc-audit.
 */
export class DscAuditError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = 'DscAuditError';
    this.code = code;
  }
}

/** Trouble that more options mend: the message ends with the audit that has them, and a command can say how it goes for itself. */
export class MissingOptions extends DscAuditError {
  readonly what: string;
  /** As they would be typed. */
  readonly options: readonly string[];

  constructor(code: ErrorCode, what: string, path: string, options: readonly string[]) {
    super(code, `${what} dsc-audit ${path} ${options.join(' ')}`);
    this.what = what;
    this.options = options;
  }
}
