import { DscAuditError } from './errors.ts';

/**
 * What keeps the matching of globs short. A `*` tries every end, so that the time grows with the length of a name to the power
 * of their number: with fourteen of them a name of sixty letters takes longer than anybody waits. Patterns and names may both
 * come from strangers.
 */

/** `*` in one part of a path. Names of layers are told with two. */
const MAX_WILDCARDS = 3;

/** `**` in all. */
const MAX_GLOBSTARS = 4;

/** Longest pattern that is taken. */
const MAX_PATTERN_LENGTH = 1024;

/** `+(…)` and the like repeat without end. */
const GROUP = /(^|[^\\])\(/;

/** How patterns are read once they are checked. */
export const GLOB_OPTIONS = { dot: true, maxLength: MAX_PATTERN_LENGTH } as const;

/** What a message tells of a pattern. */
const MAX_TOLD_LENGTH = 100;

/** @throws {DscAuditError} `invalid-option` for a pattern that is not matched, with the reason */
export function checkGlobs(patterns: readonly string[]): void {
  for (const pattern of patterns) {
    const fault = globFault(pattern);
    if (fault !== null) {
      throw new DscAuditError('invalid-option', `The pattern '${pattern.slice(0, MAX_TOLD_LENGTH)}' ${fault}.`);
    }
  }
}

/** Why a pattern is not matched; null where it is. */
export function globFault(pattern: string): string | null {
  if (pattern.length > MAX_PATTERN_LENGTH) return `has more than ${MAX_PATTERN_LENGTH} characters`;
  if (GROUP.test(pattern)) return 'has a group in parentheses: write {a,b}, or \\( for the character';
  const parts = pattern.split('/');
  if (parts.filter((part) => part === '**').length > MAX_GLOBSTARS) return `has more than ${MAX_GLOBSTARS} **`;
  const isTooWild = parts.some((part) => (part.match(/\*+/g) ?? []).length > MAX_WILDCARDS);
  return isTooWild ? `has more than ${MAX_WILDCARDS} * in one part of a path` : null;
}
