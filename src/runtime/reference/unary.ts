/** The functions of one variable in double precision. */
import type { RuntimeUnary } from '../kernels/unary-functions.ts';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const clip = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** 2/√π · ∫₀ˣ e^(−t²) dt by its Taylor series, and 1 beyond 5, where it leaves 1 by less than 2e-12. */
function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 120; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

const FUNCTIONS: Record<RuntimeUnary, (x: number, alpha: number, beta: number) => number> = {
  abs: Math.abs,
  ceil: Math.ceil,
  cos: Math.cos,
  celu: (x, alpha) => (x < 0 ? alpha * Math.expm1(x / alpha) : x),
  clamp: clip,
  elu: (x, alpha) => (x < 0 ? alpha * Math.expm1(x) : x),
  erf,
  exp: Math.exp,
  floor: Math.floor,
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  geluTanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  hardSigmoid: (x, alpha, beta) => clip(alpha * x + beta, 0, 1),
  hardSwish: (x) => x * clip(x / 6 + 0.5, 0, 1),
  leakyRelu: (x, alpha) => (x < 0 ? alpha * x : x),
  log: Math.log,
  mish: (x) => x * Math.tanh(softplus(x)),
  neg: (x) => -x,
  not: (x) => (x === 0 ? 1 : 0),
  quickGelu: (x, alpha) => x * sigmoid(alpha * x),
  reciprocal: (x) => 1 / x,
  relu: (x) => Math.max(0, x),
  relu6: (x) => clip(x, 0, 6),
  round: roundHalfToEven,
  rsqrt: (x) => 1 / Math.sqrt(x),
  selu: (x) => 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * Math.expm1(x) : x),
  sigmoid,
  sign: Math.sign,
  sin: Math.sin,
  silu: (x) => x * sigmoid(x),
  softplus,
  softsign: (x) => x / (1 + Math.abs(x)),
  sqrt: Math.sqrt,
  square: (x) => x * x,
  tanh: Math.tanh,
  thresholdedRelu: (x, alpha) => (x > alpha ? x : 0),
};

export const referenceUnary = (name: RuntimeUnary, x: number, alpha: number, beta: number): number =>
  FUNCTIONS[name](x, alpha, beta);
