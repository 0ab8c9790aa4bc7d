import type { Node } from '../../ir/graph.ts';

/** How many channels a convolution, or a dense layer, puts out: decided once for all whose outputs are added up. */
export interface Decision {
  readonly node: Node;
}

/** What is known of a group of decisions that must come to the same number. */
interface Group {
  readonly members: Decision[];
  /** They stay as they are: an output of the model, or something that cannot follow, has their channels. */
  isFixed: boolean;
  /** What their number must be a multiple of. */
  divisor: number;
}

/** Which widths are decided together, and under which conditions. Filled by walking the graph once without scaling. */
export class Decisions {
  readonly #groups = new Map<Decision, Group>();
  readonly #byNode = new Map<Node, Decision>();

  of(node: Node): Decision {
    const known = this.#byNode.get(node);
    if (known) return known;
    const decision = { node };
    this.#byNode.set(node, decision);
    this.#groups.set(decision, { members: [decision], isFixed: false, divisor: 1 });
    return decision;
  }

  isFixed(decision: Decision): boolean {
    return this.#groupOf(decision).isFixed;
  }

  divisor(decision: Decision): number {
    return this.#groupOf(decision).divisor;
  }

  fix(decisions: readonly Decision[]): void {
    for (const decision of decisions) this.#groupOf(decision).isFixed = true;
  }

  divideBy(decisions: readonly Decision[], divisor: number): void {
    for (const decision of decisions) {
      const group = this.#groupOf(decision);
      group.divisor = leastCommonMultiple(group.divisor, divisor);
    }
  }

  /** The first of those that come to the same number: what it is decided by. */
  leader(decision: Decision): Decision {
    return this.#groupOf(decision).members[0] ?? decision;
  }

  tie(decisions: readonly Decision[]): void {
    const [first, ...rest] = decisions;
    if (first === undefined) return;
    let group = this.#groupOf(first);
    for (const decision of rest) {
      const other = this.#groupOf(decision);
      if (other === group) continue;
      // The smaller one moves: a sum of n layers costs n log n, not n².
      const [smaller, larger] = group.members.length < other.members.length ? [group, other] : [other, group];
      larger.isFixed ||= smaller.isFixed;
      larger.divisor = leastCommonMultiple(larger.divisor, smaller.divisor);
      for (const member of smaller.members) {
        larger.members.push(member);
        this.#groups.set(member, larger);
      }
      group = larger;
    }
  }

  #groupOf(decision: Decision): Group {
    const group = this.#groups.get(decision);
    if (group === undefined) throw new Error('a decision that nobody made');
    return group;
  }
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return (a / x) * b;
}
