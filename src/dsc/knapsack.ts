/**
 * The multiple-choice knapsack: of every item at most one option is taken, so that the savings reach what is needed
 * and the losses are least. Solved by dynamic programming over the losses, rounded down to a grid: the savings are
 * exact, and the sum of losses is above the least one by no more than the number of items times the grid's step
 * (Kellerer, Pferschy, Pisinger, Knapsack Problems, 2004, section 11.5).
 */

/** A way to save something at a loss. Both are at least 0. */
export interface Option {
  readonly saving: number;
  readonly loss: number;
}

export interface Selection<O extends Option> {
  /** By item; null where nothing is taken. */
  readonly taken: readonly (O | null)[];
  readonly saving: number;
  readonly loss: number;
  /** The loss is above the least possible one by no more than this. */
  readonly excess: number;
}

/** Steps of the grid between no loss and that of a solution which is at hand. */
const STEPS = 30_000;

/** The options to take so that the savings reach `needed` at the least loss; null where all of them do not reach it. */
export function leastLoss<O extends Option>(items: readonly (readonly O[])[], needed: number): Selection<O> | null {
  const useful = items.map(undominated);
  const atHand = improved(useful, needed);
  if (atHand === null) return null;
  const { loss } = totalOf(atHand);
  if (loss === 0) return { taken: atHand, ...totalOf(atHand), excess: 0 };
  const step = loss / STEPS;
  const found = solve(useful, needed, step);
  const best = found !== null && totalOf(found).loss < loss ? found : atHand;
  return { taken: best, ...totalOf(best), excess: step * items.length };
}

/** The most that can be saved at all. */
export function mostSaving<O extends Option>(items: readonly (readonly O[])[]): Selection<O> {
  const taken = items.map((options) => undominated(options).at(-1) ?? null);
  return { taken, ...totalOf(taken), excess: 0 };
}

/** Options that save more than every one of less loss, the least loss first. */
function undominated<O extends Option>(options: readonly O[]): readonly O[] {
  const sorted = [...options].sort((a, b) => a.loss - b.loss || b.saving - a.saving);
  let most = 0;
  return sorted.filter(({ saving }) => {
    const saves = saving > most;
    if (saves) most = saving;
    return saves;
  });
}

/**
 * A solution to begin with: from the most that can be saved, steps back that regain the most loss for what they give up,
 * as long as enough is saved.
 */
function improved<O extends Option>(items: readonly (readonly O[])[], needed: number): readonly (O | null)[] | null {
  const at = items.map((options) => options.length - 1);
  let spare = items.reduce((sum, options) => sum + (options.at(-1)?.saving ?? 0), 0) - needed;
  if (spare < 0) return null;
  for (;;) {
    let best: { readonly item: number; readonly cost: number; readonly ratio: number } | null = null;
    for (const [item, options] of items.entries()) {
      const now = options[at[item] ?? -1];
      if (!now) continue;
      const before = options[(at[item] ?? 0) - 1];
      const cost = now.saving - (before?.saving ?? 0);
      const ratio = (now.loss - (before?.loss ?? 0)) / cost;
      if (cost <= spare && ratio > (best?.ratio ?? 0)) best = { item, cost, ratio };
    }
    if (best === null) return items.map((options, item) => options[at[item] ?? -1] ?? null);
    at[best.item] = (at[best.item] ?? 0) - 1;
    spare -= best.cost;
  }
}

/** `reached[b]`: the most that the items so far save at b steps of loss or fewer. */
function solve<O extends Option>(
  items: readonly (readonly O[])[],
  needed: number,
  step: number,
): readonly (O | null)[] | null {
  let reached = new Float64Array(STEPS + 1);
  const choices: Uint16Array[] = [];
  for (const options of items) {
    const next = reached.slice();
    const choice = new Uint16Array(STEPS + 1);
    for (const [number, { saving, loss }] of options.entries()) {
      const cost = Math.floor(loss / step);
      for (let total = cost; total <= STEPS; total++) {
        const sum = (reached[total - cost] ?? 0) + saving;
        if (sum > (next[total] ?? 0)) {
          next[total] = sum;
          choice[total] = number + 1;
        }
      }
    }
    choices.push(choice);
    reached = next;
  }
  let total = reached.findIndex((saving) => saving >= needed);
  if (total < 0) return null;
  const taken: (O | null)[] = [];
  for (const [item, options] of [...items.entries()].reverse()) {
    const option = options[(choices[item]?.[total] ?? 0) - 1] ?? null;
    taken.unshift(option);
    if (option) total -= Math.floor(option.loss / step);
  }
  return taken;
}

function totalOf(taken: readonly (Option | null)[]): Option {
  const sum = (of: keyof Option): number => taken.reduce((total, option) => total + (option?.[of] ?? 0), 0);
  return { saving: sum('saving'), loss: sum('loss') };
}
