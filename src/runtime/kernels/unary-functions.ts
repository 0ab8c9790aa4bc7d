/** Functions of one variable, on four floats at once. */
import type { FunctionBody } from '../wasm/function-body.ts';
import { splat, splatBits, type V128 } from '../wasm/values.ts';

type PlainFunction = (body: FunctionBody, x: V128) => V128;
type VectorFunction = (body: FunctionBody, x: V128, alpha: V128, beta: V128) => V128;

const one = splat(1);
const half = splat(0.5);
const zero = splat(0);

const horner = (x: V128, coefficients: readonly number[]): V128 =>
  coefficients.slice(1).reduce((sum, coefficient) => sum.mul(x).add(splat(coefficient)), splat(coefficients[0] ?? 0));

/**
 * e^x = 2^n · e^r with n = round(x / ln 2), |r| ≤ ln 2 / 2; polynomial of Cephes `expf`. Relative error below 2e-7
 * between −87.3 and 88.3; 0 and infinity beyond.
 */
function exp(body: FunctionBody, x: V128): V128 {
  const input = body.v128(x);
  const clamped = body.v128(input.max(splat(-87.33654)).min(splat(88.37626)));
  const n = body.v128(clamped.mul(splat(Math.LOG2E)).round());
  const r = body.v128(clamped.sub(n.mul(splat(0.693359375))).sub(n.mul(splat(-2.1219444e-4))));
  const series = horner(r, [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5]);
  const mantissa = body.v128(series.mul(r.mul(r)).add(r).add(one));
  const power = n.toIntegers().shiftLeft(23);
  const finite = body.v128(mantissa.addIntegers(power));
  const above = input.gt(splat(88.37626)).choose(splat(Number.POSITIVE_INFINITY), finite);
  return body.v128(input.lt(splat(-87.33654)).choose(zero, above));
}

/** ln x by Cephes `logf`: x = m · 2^e with m in [√½, √2). −infinity at 0, NaN below. */
function log(body: FunctionBody, x: V128): V128 {
  const input = body.v128(x);
  const bits = input.max(splat(1.17549435e-38));
  const normal = body.v128(bits);
  const exponent = normal.shiftRight(23).subIntegers(splatBits(126)).fromIntegers();
  const fraction = body.v128(normal.and(splatBits(0x007fffff)).or(splatBits(0x3f000000)));
  const small = body.v128(fraction.lt(splat(Math.SQRT1_2)));
  const e = body.v128(exponent.sub(small.and(one)));
  const m = body.v128(fraction.sub(one).add(small.and(fraction)));
  const square = body.v128(m.mul(m));
  const series = horner(
    m,
    [
      7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
      2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    ],
  );
  const tail = body.v128(
    series
      .mul(m)
      .mul(square)
      .add(e.mul(splat(-2.1219444e-4)))
      .sub(square.mul(half)),
  );
  const result = body.v128(m.add(tail).add(e.mul(splat(0.693359375))));
  const atZero = body.v128(input.eq(zero).choose(splat(Number.NEGATIVE_INFINITY), result));
  const above = body.v128(input.eq(splat(Number.POSITIVE_INFINITY)).choose(input, atZero));
  return body.v128(input.lt(zero).choose(splat(Number.NaN), above));
}

const sigmoid: PlainFunction = (body, x) => one.div(one.add(exp(body, x.neg())));

/** A rational function of degree 13/6 on [−7.9, 7.9], where tanh leaves 1 by less than a float can tell (Eigen's). */
function tanh(body: FunctionBody, x: V128): V128 {
  const clamped = body.v128(x.max(splat(-7.905311107635498)).min(splat(7.905311107635498)));
  const square = body.v128(clamped.mul(clamped));
  const odd = horner(
    square,
    [
      -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8, 1.48572235717979e-5,
      6.37261928875436e-4, 4.89352455891786e-3,
    ],
  );
  const even = horner(square, [1.19825839466702e-6, 1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3]);
  return clamped.mul(odd).div(even);
}

/** Abramowitz and Stegun 7.1.26: absolute error below 1.5e-7. */
function erf(body: FunctionBody, x: V128): V128 {
  const input = body.v128(x);
  const magnitude = body.v128(input.abs());
  const t = body.v128(one.div(magnitude.mul(splat(0.3275911)).add(one)));
  const series = horner(t, [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592]).mul(t);
  const positive = body.v128(one.sub(series.mul(exp(body, magnitude.mul(magnitude).neg()))));
  return input.lt(zero).choose(positive.neg(), positive);
}

/** ln(1 + e^x) = max(x, 0) + ln(1 + e^−|x|). */
function softplus(body: FunctionBody, x: V128): V128 {
  const input = body.v128(x);
  return input.max(zero).add(log(body, one.add(exp(body, input.abs().neg()))));
}

/** x without the nearest multiple of π, whose parity is the sign; π in parts whose products with it are exact (Cody, Waite). */
function sin(body: FunctionBody, x: V128): V128 {
  const input = body.v128(x);
  const n = body.v128(input.mul(splat(1 / Math.PI)).round());
  const r = body.v128(
    input
      .sub(n.mul(splat(3.140625)))
      .sub(n.mul(splat(9.675025939941406e-4)))
      .sub(n.mul(splat(1.5099579909783765e-7))),
  );
  const square = body.v128(r.mul(r));
  const series = horner(square, [2.6083159809786594e-6, -1.9810690719e-4, 8.3330785855e-3, -1.66666597128e-1]);
  const value = body.v128(series.mul(square).mul(r).add(r));
  const isOdd = n.mul(half).floor().mul(splat(2)).lt(n);
  return isOdd.choose(value.neg(), value);
}

/** 0.5 · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))): GELU as BERT computed it first. */
function geluTanh(body: FunctionBody, x: V128): V128 {
  const input = body.v128(x);
  const cubic = input.mul(input).mul(splat(0.044715)).add(one).mul(input);
  return input.mul(half).mul(one.add(tanh(body, cubic.mul(splat(Math.sqrt(2 / Math.PI))))));
}

const elu = (body: FunctionBody, x: V128, scale: V128, rate: V128): V128 => {
  const input = body.v128(x);
  return input.lt(zero).choose(scale.mul(exp(body, input.mul(rate)).sub(one)), input);
};

const hardSigmoid: VectorFunction = (_, x, alpha, beta) => x.mul(alpha).add(beta).max(zero).min(one);

const SELU_ALPHA = splat(1.6732631921768188);
const SELU_GAMMA = splat(1.0507010221481323);

interface Unary {
  readonly write: VectorFunction;
  /** Means nothing without the `alpha` or `beta` of an operator. */
  readonly isParametric: boolean;
}

const plain = (write: PlainFunction): Unary => ({ write, isParametric: false });
const parametric = (write: VectorFunction): Unary => ({ write, isParametric: true });

/** By the graph's own names; `alpha` and `beta` are those of the operator. */
export const UNARY_FUNCTIONS = {
  abs: plain((_, x) => x.abs()),
  ceil: plain((_, x) => x.ceil()),
  cos: plain((body, x) => sin(body, x.add(splat(Math.PI / 2)))),
  celu: parametric((body, x, alpha) => elu(body, x, alpha, body.v128(one.div(alpha)))),
  elu: parametric((body, x, alpha) => elu(body, x, alpha, one)),
  erf: plain(erf),
  exp: plain(exp),
  floor: plain((_, x) => x.floor()),
  /** x · Φ(x). */
  gelu: plain((body, x) => x.mul(half).mul(one.add(erf(body, x.mul(splat(Math.SQRT1_2)))))),
  geluTanh: plain(geluTanh),
  hardSigmoid: parametric(hardSigmoid),
  /** x · clip(x/6 + 1/2, 0, 1). */
  hardSwish: plain((_, x) => x.mul(x.add(splat(3)).max(zero).min(splat(6))).mul(splat(1 / 6))),
  leakyRelu: parametric((_, x, alpha) => x.lt(zero).choose(x.mul(alpha), x)),
  log: plain(log),
  mish: plain((body, x) => x.mul(tanh(body, softplus(body, x)))),
  neg: plain((_, x) => x.neg()),
  not: plain((_, x) => x.eq(zero).and(one)),
  quickGelu: parametric((body, x, alpha) => x.mul(sigmoid(body, x.mul(alpha)))),
  reciprocal: plain((_, x) => one.div(x)),
  relu: plain((_, x) => x.max(zero)),
  relu6: plain((_, x) => x.max(zero).min(splat(6))),
  round: plain((_, x) => x.round()),
  rsqrt: plain((_, x) => one.div(x.sqrt())),
  selu: plain((body, x) => SELU_GAMMA.mul(elu(body, x, SELU_ALPHA, one))),
  sigmoid: plain(sigmoid),
  sign: plain((_, x) => {
    const negative = x.lt(zero).and(one);
    return x.gt(zero).and(one).sub(negative);
  }),
  sin: plain(sin),
  silu: plain((body, x) => x.mul(sigmoid(body, x))),
  softplus: plain(softplus),
  softsign: plain((_, x) => x.div(one.add(x.abs()))),
  sqrt: plain((_, x) => x.sqrt()),
  square: plain((_, x) => x.mul(x)),
  tanh: plain(tanh),
  thresholdedRelu: parametric((_, x, alpha) => x.gt(alpha).and(x)),
  /** Not the graph's: min(max(x, alpha), beta). */
  clamp: parametric((_, x, alpha, beta) => x.max(alpha).min(beta)),
} as const satisfies Record<string, Unary>;

export type RuntimeUnary = keyof typeof UNARY_FUNCTIONS;

const NAMES = Object.keys(UNARY_FUNCTIONS);

/** What an `activation` argument holds for a function. */
export const unaryCode = (name: RuntimeUnary): number => NAMES.indexOf(name);

export const isRuntimeUnary = (name: string): name is RuntimeUnary => Object.hasOwn(UNARY_FUNCTIONS, name);

/** Whether a function needs no more than its name. */
export const isPlainUnary = (name: string): name is RuntimeUnary =>
  isRuntimeUnary(name) && !UNARY_FUNCTIONS[name].isParametric;

/** Writes `mapSpan`: source, target, vectors, function code, then alpha and beta as vectors. */
export function writeMapSpan(body: FunctionBody): void {
  const [source, target, vectors, code] = [0, 1, 2, 3].map(body.parameter);
  if (!source || !target || !vectors || !code) return;
  const alpha = body.vectorParameter(4);
  const beta = body.vectorParameter(5);
  const end = body.i32(source.add(vectors.shl(4)));
  const x = body.v128();
  const loopOver = (fn: VectorFunction) => (): void =>
    body.whileTrue(source.lt(end), () => {
      body.set(x, source.loadVector());
      body.storeVector(target, fn(body, x, alpha, beta));
      body.increase(source, 16);
      body.increase(target, 16);
    });
  body.switch(
    code,
    Object.values(UNARY_FUNCTIONS).map(({ write }) => loopOver(write)),
  );
}
