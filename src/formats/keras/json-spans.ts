/** Where the values of a JSON text stand in it, so that a part can be changed and all the rest stays as it was written. */

/** A value's stretch of the text, and those of what it holds. */
export interface JsonSpan {
  readonly start: number;
  readonly end: number;
  /** Of an object. Of a key that stands there twice the last one counts, as it does to `JSON.parse`. */
  readonly members: ReadonlyMap<string, JsonSpan>;
  /** Of a list. */
  readonly items: readonly JsonSpan[];
}

const NONE: ReadonlyMap<string, JsonSpan> = new Map();

/** Finds every value. The text must be valid, and of bounded depth: `parseJson` has read it before. */
export function jsonSpans(text: string): JsonSpan {
  return valueAt(text, skipSpace(text, 0));
}

function valueAt(text: string, start: number): JsonSpan {
  const first = text[start];
  if (first === '{') return objectAt(text, start);
  if (first === '[') return listAt(text, start);
  return { start, end: first === '"' ? stringEnd(text, start) : scalarEnd(text, start), members: NONE, items: [] };
}

function objectAt(text: string, start: number): JsonSpan {
  const members = new Map<string, JsonSpan>();
  let at = skipSpace(text, start + 1);
  while (text[at] !== '}') {
    const keyEnd = stringEnd(text, at);
    const key: unknown = JSON.parse(text.slice(at, keyEnd));
    const value = valueAt(text, skipSpace(text, skipSpace(text, keyEnd) + 1));
    members.set(String(key), value);
    at = skipSeparator(text, value.end);
  }
  return { start, end: at + 1, members, items: [] };
}

function listAt(text: string, start: number): JsonSpan {
  const items: JsonSpan[] = [];
  let at = skipSpace(text, start + 1);
  while (text[at] !== ']') {
    const item = valueAt(text, at);
    items.push(item);
    at = skipSeparator(text, item.end);
  }
  return { start, end: at + 1, members: NONE, items };
}

/** Where what stands behind white space begins. */
export function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++;
  return at;
}

/** To the next value, or to the bracket that ends the list. */
function skipSeparator(text: string, from: number): number {
  const at = skipSpace(text, from);
  return text[at] === ',' ? skipSpace(text, at + 1) : at;
}

/** Behind the quotation mark that ends the string at `start`. */
export function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function scalarEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && !',]} \n\r\t'.includes(text[at] ?? '')) at++;
  return at;
}

/** A stretch of text and what takes its place. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Edits that do not overlap, made. */
export function edited(text: string, edits: readonly TextEdit[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
    parts.push(text.slice(at, edit.start), edit.text);
    at = edit.end;
  }
  return [...parts, text.slice(at)].join('');
}

/** Gives an object a member, or a member that it has another value. */
export function setMember({ start, members }: JsonSpan, key: string, value: string): TextEdit {
  const known = members.get(key);
  if (known) return { start: known.start, end: known.end, text: value };
  return { start: start + 1, end: start + 1, text: `${JSON.stringify(key)}: ${value}${members.size > 0 ? ', ' : ''}` };
}
