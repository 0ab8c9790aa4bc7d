/**
 * Second moments of rows (f, y) of features and targets, all that least squares asks of them: A = Σ f·fᵀ and B = Σ y·fᵀ.
 * The last feature is the constant 1.
 */

/** Rows that are gathered before A and B take them in: products of long rows are fast. */
const BATCH = 128;

export class Moments {
  /** Features, the constant included. */
  readonly features: number;
  readonly targets: number;
  readonly #gram: Float64Array;
  readonly #cross: Float64Array;
  /** [feature][row], [target][row]: activations are of single precision, their products are not. */
  readonly #featureRows: Float32Array;
  readonly #targetRows: Float32Array;
  #rows = 0;

  constructor(features: number, targets: number) {
    this.features = features + 1;
    this.targets = targets;
    this.#gram = new Float64Array(this.features * this.features);
    this.#cross = new Float64Array(targets * this.features);
    this.#featureRows = new Float32Array(this.features * BATCH);
    this.#targetRows = new Float32Array(targets * BATCH);
  }

  /** Takes in a row: `feature(i)` and `target(n)` give its elements. */
  add(feature: (index: number) => number, target: (index: number) => number): void {
    const row = this.#rows++;
    const last = this.features - 1;
    for (let i = 0; i < last; i++) this.#featureRows[i * BATCH + row] = feature(i);
    this.#featureRows[last * BATCH + row] = 1;
    for (let n = 0; n < this.targets; n++) this.#targetRows[n * BATCH + row] = target(n);
    if (this.#rows === BATCH) this.#flush();
  }

  /** A, [feature][feature]: a copy. */
  gram(): Float64Array {
    this.#flush();
    const order = this.features;
    const gram = this.#gram.slice();
    for (let i = 0; i < order; i++) for (let j = 0; j < i; j++) gram[j * order + i] = gram[i * order + j] ?? 0;
    return gram;
  }

  /** B, [target][feature]: a copy. */
  cross(): Float64Array {
    this.#flush();
    return this.#cross.slice();
  }

  /** Whether all that was taken in is: an element that is not spoils its square, or its product with the constant. */
  isFinite(): boolean {
    this.#flush();
    return this.#gram.every(Number.isFinite) && this.#cross.every(Number.isFinite);
  }

  #flush(): void {
    const features = this.#featureRows;
    accumulate(this.#gram, features, features, this.features, this.features, this.#rows, true);
    accumulate(this.#cross, this.#targetRows, features, this.targets, this.features, this.#rows, false);
    this.#rows = 0;
  }
}

/**
 * sum[i][j] += Σ left[i][row] · right[j][row]; of a symmetric product the lower triangle, and what of the upper one falls into
 * its tiles. Two by four sums at a time share what is loaded.
 */
function accumulate(
  sum: Float64Array,
  left: Float32Array,
  right: Float32Array,
  height: number,
  width: number,
  rows: number,
  isSymmetric: boolean,
): void {
  for (let i = 0; i < height; i += TILE_HEIGHT) {
    const end = isSymmetric ? Math.min(width, i + TILE_HEIGHT) : width;
    for (let j = 0; j < end; j += TILE_WIDTH) {
      if (i + TILE_HEIGHT <= height && j + TILE_WIDTH <= width) addTile(sum, left, right, i, j, width, rows);
      else
        addEach(
          sum,
          left,
          right,
          [i, Math.min(height, i + TILE_HEIGHT)],
          [j, Math.min(width, j + TILE_WIDTH)],
          rows,
          width,
        );
    }
  }
}

const TILE_HEIGHT = 2;
const TILE_WIDTH = 4;

function addTile(
  sum: Float64Array,
  left: Float32Array,
  right: Float32Array,
  i: number,
  j: number,
  width: number,
  rows: number,
): void {
  const [from, to] = [i * BATCH, j * BATCH];
  let [a, b, c, d] = [0, 0, 0, 0];
  let [e, f, g, h] = [0, 0, 0, 0];
  for (let row = 0; row < rows; row++) {
    const one = left[from + row] ?? 0;
    const two = left[from + BATCH + row] ?? 0;
    const first = right[to + row] ?? 0;
    const second = right[to + BATCH + row] ?? 0;
    const third = right[to + 2 * BATCH + row] ?? 0;
    const fourth = right[to + 3 * BATCH + row] ?? 0;
    a += one * first;
    b += one * second;
    c += one * third;
    d += one * fourth;
    e += two * first;
    f += two * second;
    g += two * third;
    h += two * fourth;
  }
  addFour(sum, i * width + j, a, b, c, d);
  addFour(sum, (i + 1) * width + j, e, f, g, h);
}

function addFour(sum: Float64Array, at: number, a: number, b: number, c: number, d: number): void {
  sum[at] = (sum[at] ?? 0) + a;
  sum[at + 1] = (sum[at + 1] ?? 0) + b;
  sum[at + 2] = (sum[at + 2] ?? 0) + c;
  sum[at + 3] = (sum[at + 3] ?? 0) + d;
}

/** What is no whole tile. */
function addEach(
  sum: Float64Array,
  left: Float32Array,
  right: Float32Array,
  [top, bottom]: readonly [number, number],
  [start, end]: readonly [number, number],
  rows: number,
  width: number,
): void {
  for (let i = top; i < bottom; i++) {
    for (let j = start; j < end; j++) {
      let product = 0;
      for (let row = 0; row < rows; row++) product += (left[i * BATCH + row] ?? 0) * (right[j * BATCH + row] ?? 0);
      sum[i * width + j] = (sum[i * width + j] ?? 0) + product;
    }
  }
}
