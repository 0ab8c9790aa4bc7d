/** Characters that a terminal acts upon, or that turn the direction of what follows. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** What makes a line a command to the runner of a CI job: `::` at its start, `##[` anywhere. */
const RUNNER_COMMAND = /^(\s*):(?=:)|##(?=\[)/g;

/** Names come from the file: in a terminal, or in the log of a CI job, none may do more than be read. */
export function plainText(name: string): string {
  return name.replace(UNPRINTABLE, '\uFFFD').replace(RUNNER_COMMAND, '$1\uFFFD');
}

/** Cut in the middle to a width; the end of a layer's name tells most. */
export function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  if (width <= 1) return '…'.slice(0, width);
  const tail = Math.ceil((width - 1) * 0.7);
  return `${text.slice(0, width - 1 - tail)}…${text.slice(text.length - tail)}`;
}

/** A sentence in lines of at most that many columns; in one where there is no limit. */
export function wrap(sentence: string, width: number | null): readonly string[] {
  if (width === null) return [sentence];
  const lines: string[] = [];
  let current = '';
  for (const word of sentence.split(' ')) {
    if (current !== '' && current.length + 1 + word.length > width) {
      lines.push(current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current];
}
