/**
 * Dimensions: an exact integer, or a polynomial with integer coefficients over symbols and over the few functions that
 * shape arithmetic needs. The polynomial is kept in one canonical form, so that equal expressions are equal by key.
 */
export type Dim = number | SymbolicDim;

export interface SymbolicDim {
  readonly terms: readonly Term[];
  /** The canonical spelling, `2*n + 1`: two dimensions are the same exactly if their keys are. */
  readonly key: string;
}

interface Term {
  readonly coefficient: number;
  /** Sorted by key; empty for the constant term. */
  readonly atoms: readonly Atom[];
  readonly key: string;
}

type Atom =
  | { readonly type: 'symbol'; readonly key: string }
  | { readonly type: DimFunction; readonly left: Dim; readonly right: Dim; readonly key: string };

type DimFunction = 'floorDiv' | 'max' | 'min';

/** Values for symbols, by name. */
export type DimBindings = ReadonlyMap<string, number>;

/** Terms of a product, before equal ones are put together. */
const MAX_PRODUCT_TERMS = 256;

/** An expression spelt longer than this is noise to a reader, and products of such grow without end. */
const MAX_KEY_LENGTH = 512;

export const symbolicDim = (name: string): SymbolicDim => fromAtom({ type: 'symbol', key: name });

export const isStatic = (dim: Dim): dim is number => typeof dim === 'number';

export const dimKey = (dim: Dim): string => (isStatic(dim) ? String(dim) : dim.key);

export const sameDim = (left: Dim, right: Dim): boolean => dimKey(left) === dimKey(right);

export function addDims(left: Dim, right: Dim): Dim {
  if (isStatic(left) && isStatic(right)) return left + right;
  return normalise([...termsOf(left), ...termsOf(right)]);
}

export function subtractDims(left: Dim, right: Dim): Dim {
  return addDims(left, multiplyDims(right, -1));
}

export function multiplyDims(left: Dim, right: Dim): Dim {
  // Adding 0 turns a negative zero into a plain one.
  if (isStatic(left) && isStatic(right)) return left * right + 0;
  const [some, others] = [termsOf(left), termsOf(right)];
  if (some.length * others.length > MAX_PRODUCT_TERMS) return opaque(`(${dimKey(left)})*(${dimKey(right)})`);
  const products: Term[] = [];
  for (const a of some) {
    for (const b of others) products.push(term(a.coefficient * b.coefficient, [...a.atoms, ...b.atoms]));
  }
  return normalise(products);
}

export function productOfDims(dims: readonly Dim[]): Dim {
  return dims.reduce<Dim>(multiplyDims, 1);
}

/** ⌊left / right⌋. Exact for integers and where the polynomial divides; else kept as a function. Null for a division by 0. */
export function floorDivideDims(left: Dim, right: Dim): Dim | null {
  if (right === 0) return null;
  if (isStatic(left) && isStatic(right)) return Math.floor(left / right);
  if (right === 1) return left;
  return divideExactly(left, right) ?? fromAtom(functionAtom('floorDiv', left, right));
}

/** left / right where it divides without remainder whatever the symbols are; null otherwise. */
export function divideExactly(left: Dim, right: Dim): Dim | null {
  if (right === 0) return null;
  if (sameDim(left, right)) return 1;
  if (isStatic(left) && isStatic(right)) return left % right === 0 ? left / right : null;
  const divisors = termsOf(right);
  const divisor = divisors[0];
  if (divisor === undefined || divisors.length !== 1) return null;
  const quotients: Term[] = [];
  for (const dividend of termsOf(left)) {
    const quotient = divideTerm(dividend, divisor);
    if (quotient === null) return null;
    quotients.push(quotient);
  }
  return normalise(quotients);
}

export function maxDims(left: Dim, right: Dim): Dim {
  return extreme('max', left, right);
}

export function minDims(left: Dim, right: Dim): Dim {
  return extreme('min', left, right);
}

/** The difference where it is a plain number: symbols cancel out. Null where it depends on them. */
export function staticDifference(left: Dim, right: Dim): number | null {
  const difference = subtractDims(left, right);
  return isStatic(difference) ? difference : null;
}

/** Puts numbers in for the symbols that `bindings` names; the rest stays. */
export function bindDim(dim: Dim, bindings: DimBindings): Dim {
  if (isStatic(dim)) return dim;
  let sum: Dim = 0;
  for (const { coefficient, atoms } of dim.terms) {
    sum = addDims(
      sum,
      atoms.reduce<Dim>((product, atom) => multiplyDims(product, bindAtom(atom, bindings)), coefficient),
    );
  }
  return sum;
}

/** The symbols that a dimension is made of. */
export function symbolsOf(dim: Dim): readonly string[] {
  if (isStatic(dim)) return [];
  return dim.terms.flatMap(({ atoms }) =>
    atoms.flatMap((atom) =>
      atom.type === 'symbol' ? [atom.key] : [...symbolsOf(atom.left), ...symbolsOf(atom.right)],
    ),
  );
}

function bindAtom(atom: Atom, bindings: DimBindings): Dim {
  if (atom.type === 'symbol') return bindings.get(atom.key) ?? symbolicDim(atom.key);
  const left = bindDim(atom.left, bindings);
  const right = bindDim(atom.right, bindings);
  if (atom.type === 'floorDiv') return floorDivideDims(left, right) ?? fromAtom(functionAtom('floorDiv', left, right));
  return extreme(atom.type, left, right);
}

function extreme(fn: 'max' | 'min', left: Dim, right: Dim): Dim {
  const difference = staticDifference(left, right);
  if (difference !== null) return difference >= 0 === (fn === 'max') ? left : right;
  const [a, b] = dimKey(left) <= dimKey(right) ? [left, right] : [right, left];
  return fromAtom(functionAtom(fn, a, b));
}

function functionAtom(type: DimFunction, left: Dim, right: Dim): Atom {
  return { type, left, right, key: `${type}(${dimKey(left)}, ${dimKey(right)})` };
}

function fromAtom(atom: Atom): SymbolicDim {
  if (atom.key.length > MAX_KEY_LENGTH) return opaque(atom.key);
  const only = term(1, [atom]);
  return { terms: [only], key: spell([only]) };
}

function term(coefficient: number, atoms: readonly Atom[]): Term {
  const sorted = [...atoms].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return { coefficient, atoms: sorted, key: sorted.map((atom) => atom.key).join('*') };
}

function termsOf(dim: Dim): readonly Term[] {
  if (!isStatic(dim)) return dim.terms;
  return dim === 0 ? [] : [term(dim, [])];
}

function normalise(terms: readonly Term[]): Dim {
  const merged = new Map<string, Term>();
  for (const next of terms) {
    const known = merged.get(next.key);
    merged.set(next.key, known ? { ...known, coefficient: known.coefficient + next.coefficient } : next);
  }
  const kept = [...merged.values()].filter(({ coefficient }) => coefficient !== 0);
  const first = kept[0];
  if (first === undefined) return 0;
  if (kept.length === 1 && first.atoms.length === 0) return first.coefficient;
  // The constant term last, as one writes it.
  kept.sort((a, b) => b.atoms.length - a.atoms.length || (a.key < b.key ? -1 : 1));
  const key = spell(kept);
  return key.length > MAX_KEY_LENGTH ? opaque(key) : { terms: kept, key };
}

/** A symbol that stands for an expression too long to keep: equal expressions get equal symbols (FNV-1a, 2 × 32 bits). */
function opaque(key: string): SymbolicDim {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  for (let i = 0; i < key.length; i++) {
    low = Math.imul(low ^ key.charCodeAt(i), 0x01000193);
    high = Math.imul(high ^ key.charCodeAt(i), 0x85ebca6b);
  }
  return symbolicDim(`expression_${(high >>> 0).toString(16)}${(low >>> 0).toString(16)}`);
}

function spell(terms: readonly Term[]): string {
  return terms
    .map(({ coefficient, key }, index) => {
      const size = Math.abs(coefficient);
      const product = key === '' ? String(size) : size === 1 ? key : `${size}*${key}`;
      if (index === 0) return coefficient < 0 ? `-${product}` : product;
      return coefficient < 0 ? ` - ${product}` : ` + ${product}`;
    })
    .join('');
}

function divideTerm(dividend: Term, divisor: Term): Term | null {
  if (dividend.coefficient % divisor.coefficient !== 0) return null;
  const left = [...dividend.atoms];
  for (const atom of divisor.atoms) {
    const at = left.findIndex(({ key }) => key === atom.key);
    if (at < 0) return null;
    left.splice(at, 1);
  }
  return term(dividend.coefficient / divisor.coefficient, left);
}
