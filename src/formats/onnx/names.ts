import type { ValueId } from '../../ir/graph.ts';

/** The values that a graph can name: its own, then those of the graphs around it. Null stands for "left out". */
export class Names {
  readonly #own = new Map<string, ValueId | null>();
  readonly #outer: Names | null;

  constructor(outer: Names | null = null) {
    this.#outer = outer;
  }

  define(name: string, value: ValueId | null): void {
    this.#own.set(name, value);
  }

  definesItself(name: string): boolean {
    return this.#own.has(name);
  }

  /** Undefined where nothing has that name. */
  find(name: string): ValueId | null | undefined {
    const own = this.#own.get(name);
    return own !== undefined || this.#own.has(name) ? own : this.#outer?.find(name);
  }
}
