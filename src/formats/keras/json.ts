import { DscAuditError } from '../../ir/errors.ts';
import { MAX_JSON_DEPTH } from '../limits.ts';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** As `JSON.parse` makes it: a key such as `__proto__` is a plain key of its own. Read it through {@link member}. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Parses JSON that may come from anybody. Throws `not-a-model` where it is none, `limit-exceeded` where it nests too deep. */
export function parseJson(text: string): Json {
  checkDepth(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message.replace(/\s+/g, ' ') : 'it cannot be parsed';
    throw new DscAuditError('not-a-model', `is no valid JSON: ${reason}.`);
  }
}

/** Counts brackets outside strings: what is parsed is walked by functions that call themselves. */
function checkDepth(text: string): void {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    if (depth > MAX_JSON_DEPTH) {
      throw new DscAuditError(
        'limit-exceeded',
        `its JSON is nested more than ${MAX_JSON_DEPTH} deep: no real model is.`,
      );
    }
  }
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !isList(value);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** An object's own member; undefined where it has none, or is no object. */
export function member(value: Json | undefined, key: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export function textOf(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

/** A value as a message shows it. */
export function describeJson(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (isList(value)) return value.length <= 4 ? `[${value.map(describeJson).join(', ')}]` : `a list of ${value.length}`;
  if (isObject(value)) return 'an object';
  return typeof value === 'string' ? `'${value.slice(0, 40)}'` : String(value);
}
