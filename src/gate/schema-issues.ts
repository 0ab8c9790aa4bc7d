import type { BaseIssue, GenericSchema } from 'valibot';
import { nearest } from './nearest.ts';

/** One sentence on what is wrong and where: `models[0].budgets.mac is no known key; did you mean macs?`. */
export function issueText(schema: GenericSchema, issue: BaseIssue<unknown>): string {
  const keys = (issue.path ?? []).map(({ key }) => key);
  const path = pathText(keys);
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const known = keysAt(schema, keys.slice(0, -1));
    const guess = nearest(String(keys.at(-1)), known);
    return `${path} is no known key; ${guess === null ? `the keys are ${known.join(', ')}` : `did you mean ${guess}?`}`;
  }
  if (issue.type.endsWith('object') && issue.received === 'undefined') return `${path} is missing.`;
  if (issue.message.startsWith('Invalid')) return `${path} is ${issue.received}; ${issue.expected} is needed.`;
  return `${path}${issue.message.startsWith('is ') ? '' : ':'} ${issue.message}`;
}

/** As it would be written in a program: `models[0].budgets["weight-bytes"]`. */
function pathText(keys: readonly unknown[]): string {
  const steps = keys.map((key) => {
    if (typeof key === 'number') return `[${key}]`;
    const name = String(key);
    return /^[\w$]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
  });
  return steps.join('').replace(/^\./, '') || 'the file';
}

/** The keys that an object may have at the end of a path. */
function keysAt(schema: unknown, keys: readonly unknown[]): readonly string[] {
  let at = unwrapped(schema);
  for (const key of keys) {
    const entries = property(at, 'entries');
    at = unwrapped(property(entries, String(key)) ?? property(at, 'item'));
  }
  const entries = property(at, 'entries');
  return typeof entries === 'object' && entries !== null ? Object.keys(entries) : [];
}

/** An optional schema holds another; a pipe stands for its first. */
function unwrapped(schema: unknown): unknown {
  const inner = property(schema, 'wrapped');
  return inner === undefined ? schema : unwrapped(inner);
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, key)?.value : undefined;
}
