import stringWidth from 'fast-string-width';

export interface TextColumn {
  readonly width: number;
  readonly align: 'left' | 'right';
}

/** Spaces between two columns. */
export const GAP = 2;

/** A line of cells, each as wide as its column; a cell that is wider keeps its text. */
export function lineOf(cells: readonly string[], columns: readonly TextColumn[]): string {
  const padded = columns.map(({ width, align }, index) => {
    const text = cells[index] ?? '';
    const spaces = ' '.repeat(Math.max(0, width - displayWidth(text)));
    return align === 'left' ? text + spaces : spaces + text;
  });
  return padded.join(' '.repeat(GAP)).trimEnd();
}

/** The widest of the texts, and at least `least`. */
export const widest = (texts: readonly string[], least: number): number =>
  texts.reduce((width, text) => Math.max(width, displayWidth(text)), least);

/** Columns of a terminal that a text takes: none for colours, two for wide characters. */
const displayWidth = (text: string): number => (PRINTABLE_ASCII.test(text) ? text.length : stringWidth(text));

const PRINTABLE_ASCII = /^[ -~]*$/;
