import { skipSpace, stringEnd } from './keras/json-spans.ts';

/**
 * The first key that an object of a JSON text holds twice; null where none does. `JSON.parse` takes the last of them without a
 * word. The text must be valid; its depth takes no call stack.
 */
export function repeatedKey(text: string): string | null {
  /** The keys so far of the objects around; null for a list. */
  const around: (Set<unknown> | null)[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{') around.push(new Set());
    else if (character === '[') around.push(null);
    else if (character === '}' || character === ']') around.pop();
    else if (character === '"') {
      const end = stringEnd(text, at);
      const keys = around.at(-1);
      if (keys && text[skipSpace(text, end)] === ':') {
        const key: unknown = JSON.parse(text.slice(at, end));
        if (keys.has(key)) return String(key);
        keys.add(key);
      }
      at = end - 1;
    }
  }
  return null;
}
