/**
 * Reference implementations of every kernel in the plainest loops there are, in doubles, over ordinary arrays. They share
 * no code with the backends. Where a sum is involved, `scale` is Σ|terms|, to which error bounds are relative.
 */
import type { Activation, BINARY_KERNELS, UNARY_KERNELS } from '../../ts/backend/kernels.js'

export type Numbers = ArrayLike<number>

export interface Sum {
  value: number[]
  scale: number[]
}

export type Layout = 'matmul' | 'matmulNT' | 'matmulTN'

/** c[m,n] = a · b (+ c), a and b are laid out as the name of the layout says. */
export function product(layout: Layout, a: Numbers, b: Numbers, c: Numbers | null, m: number, n: number, k: number): Sum {
  const result: Sum = { value: [], scale: [] }
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let value = c ? c[i * n + j] : 0
      let scale = Math.abs(value)
      for (let p = 0; p < k; p++) {
        const term = (layout === 'matmulTN' ? a[p * m + i] : a[i * k + p]) * (layout === 'matmulNT' ? b[j * k + p] : b[p * n + j])
        value += term
        scale += Math.abs(term)
      }
      result.value.push(value)
      result.scale.push(scale)
    }
  }
  return result
}

/** y[n] = Σ_m x[m,n] (+ y) */
export function columnSums(x: Numbers, y: Numbers | null, m: number, n: number): Sum {
  return product('matmul', new Float64Array(m).fill(1), x, y, 1, n, m)
}

// ---- functions of one number ----

/** erf by the series 2/√π · exp(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!!, whose terms do not cancel; by erfc beyond 2. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return Number.NaN
  if (Math.abs(x) > 2) return Math.sign(x) * (1 - erfcFraction(Math.abs(x)))
  let term = x
  let total = x
  for (let n = 1; n < 100; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    total += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total
}

/** erfc(x), accurate in the right tail too. */
export function erfc(x: number): number {
  return x > 1 ? erfcFraction(x) : 1 - erf(x)
}

/** erfc(t), t ≥ 1: exp(−t²)/√π · 1/(t + ½/(t + 1/(t + 3⁄2/(t + …)))) */
function erfcFraction(t: number): number {
  if (t > 30) return 0
  let tail = t
  for (let k = 400; k >= 1; k--) tail = t + k / 2 / tail
  return Math.exp(-t * t) / Math.sqrt(Math.PI) / tail
}

const logistic = (x: number) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))
const softplus = (x: number) => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)))

/** λ, and λ·α, of Klambauer et al. 2017 */
const [SELU_ABOVE, SELU_BELOW] = [1.0507009873554805, 1.0507009873554805 * 1.6732632423543772]

/** f(x) */
export const activation: Record<Activation, (x: number) => number> = {
  linear: (x) => x,
  relu: (x) => (x < 0 ? 0 : x),
  leakyRelu: (x) => (x < 0 ? 0.01 * x : x),
  sigmoid: logistic,
  tanh: Math.tanh,
  gelu: (x) => 0.5 * x * erfc(-x / Math.SQRT2),
  silu: (x) => x * logistic(x),
  softplus,
  elu: (x) => (x < 0 ? Math.expm1(x) : x),
  mish: (x) => x * Math.tanh(softplus(x)),
  selu: (x) => (x < 0 ? SELU_BELOW * Math.expm1(x) : SELU_ABOVE * x),
}

/** f′(x), from the input for every activation; 0 at the kink of relu, the left slope at the kink of leakyRelu. */
export const derivative: Record<Activation, (x: number) => number> = {
  linear: () => 1,
  relu: (x) => (x > 0 ? 1 : 0),
  leakyRelu: (x) => (x > 0 ? 1 : 0.01),
  sigmoid: (x) => logistic(x) * logistic(-x),
  tanh: (x) => 1 - Math.tanh(x) ** 2,
  gelu: (x) => 0.5 * erfc(-x / Math.SQRT2) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI),
  silu: (x) => logistic(x) + x * logistic(x) * logistic(-x),
  softplus: logistic,
  elu: (x) => (x > 0 ? 1 : Math.exp(x)),
  mish: (x) => Math.tanh(softplus(x)) + (x * logistic(x)) / Math.cosh(Math.min(softplus(x), 300)) ** 2,
  selu: (x) => (x > 0 ? SELU_ABOVE : SELU_BELOW * Math.exp(x)),
}

export const unary: Record<(typeof UNARY_KERNELS)[number], (x: number) => number> = {
  neg: (x: number) => -x,
  abs: Math.abs,
  sign: (x: number) => (x > 0 ? 1 : x < 0 ? -1 : x === 0 ? 0 : Number.NaN),
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  square: (x: number) => x * x,
  reciprocal: (x: number) => 1 / x,
  sin: Math.sin,
  cos: Math.cos,
  erf,
}

const largest = (a: number, b: number) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : a > b ? a : b)

export const binary: Record<(typeof BINARY_KERNELS)[number], (a: number, b: number) => number> = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
  // IEEE 754, where JavaScript says NaN: 1 to any power, −1 to ±∞
  pow: (a: number, b: number) => (a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b),
  maximum: largest,
  minimum: (a: number, b: number) => -largest(-a, -b),
  greater: (a: number, b: number) => (a > b ? 1 : 0),
  greaterEqual: (a: number, b: number) => (a >= b ? 1 : 0),
  equal: (a: number, b: number) => (a === b ? 1 : 0),
}

// ---- reductions ----

/** The `length` values of each line of x[outer,length,inner], in the order of y[outer,inner]. */
export function lines(x: Numbers, outer: number, length: number, inner: number): number[][] {
  const all: number[][] = []
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) all.push(Array.from({ length }, (_, l) => x[(o * length + l) * inner + i]))
  }
  return all
}

export const sum = (x: readonly number[]) => x.reduce((a, b) => a + b, 0)
export const sumAbs = (x: readonly number[]) => x.reduce((a, b) => a + Math.abs(b), 0)
export const max = (x: readonly number[]) => x.reduce(largest, Number.NEGATIVE_INFINITY)
export const min = (x: readonly number[]) => -max(x.map((v) => -v))

/** First NaN, else first of the largest. */
export function argmax(x: readonly number[]): number {
  const nan = x.findIndex(Number.isNaN)
  return nan >= 0 ? nan : x.indexOf(max(x))
}

// ---- softmax ----

export function logSoftmax(x: readonly number[]): number[] {
  const top = max(x)
  const log = Math.log(sum(x.map((v) => Math.exp(v - top))))
  return x.map((v) => v - top - log)
}

export function softmax(x: readonly number[]): number[] {
  const top = max(x)
  const total = sum(x.map((v) => Math.exp(v - top)))
  return x.map((v) => Math.exp(v - top) / total)
}

// ---- losses: one row ----

export interface RowLoss {
  /** Σ_c ℓ */
  value: number
  /** A size to which the rounding error of the value is relative. */
  scale: number
  /** ∂ℓ/∂p */
  gradient: number[]
  /** `scale` for each element of the gradient. */
  gradientScale: number[]
}

/** A loss that is a sum of ℓ(p, t) with derivative ℓ′(p, t) over elements. */
function elementLoss(value: (p: number, t: number) => number, slope: (p: number, t: number) => number, p: number[], t: number[]): RowLoss {
  const size = p.map((v, c) => 1 + Math.abs(v) + Math.abs(t[c]))
  return {
    value: sum(p.map((v, c) => value(v, t[c]))),
    scale: sum(p.map((v, c) => Math.abs(value(v, t[c])) + size[c] * Math.min(1, Math.abs(slope(v, t[c]))) + 1e-30)),
    gradient: p.map((v, c) => slope(v, t[c])),
    gradientScale: size,
  }
}

export const elementLosses = {
  squaredError: (p: number[], t: number[]) =>
    elementLoss(
      (a, b) => (a - b) ** 2,
      (a, b) => 2 * (a - b),
      p,
      t,
    ),
  absoluteError: (p: number[], t: number[]) =>
    elementLoss(
      (a, b) => Math.abs(a - b),
      (a, b) => unary.sign(a - b),
      p,
      t,
    ),
  huber: (p: number[], t: number[], delta: number) =>
    elementLoss(
      (a, b) => (Math.abs(a - b) <= delta ? 0.5 * (a - b) ** 2 : delta * (Math.abs(a - b) - 0.5 * delta)),
      (a, b) => (Math.abs(a - b) <= delta ? a - b : delta * unary.sign(a - b)),
      p,
      t,
    ),
  binaryCrossEntropy: (p: number[], t: number[], smoothing: number) => {
    const wanted = t.map((v) => v * (1 - smoothing) + smoothing / 2)
    return elementLoss(
      (a, b) => softplus(a) - a * b,
      (a, b) => logistic(a) - b,
      p,
      wanted,
    )
  },
}

/** −Σ_c t_c log softmax(p)_c for targets that are already smoothed */
export function crossEntropy(p: number[], t: number[]): RowLoss {
  const top = max(p)
  const logSum = top + Math.log(sum(p.map((v) => Math.exp(v - top))))
  const mass = sum(t)
  const probability = softmax(p)
  return {
    value: sum(t.map((w, c) => (w === 0 ? 0 : w * (logSum - p[c])))),
    scale: sum(t.map((w, c) => (w === 0 ? 0 : Math.abs(w) * (1 + Math.abs(logSum) + Math.abs(p[c]))))),
    gradient: p.map((_, c) => mass * probability[c] - t[c]),
    gradientScale: p.map((v, c) => Math.abs(mass) * probability[c] * (1 + Math.abs(v - top)) + Math.abs(t[c]) + 1e-30),
  }
}

// ---- random numbers ----

const MASK = 0xffffffffn

/** Philox-4x32-10 in big integers, straight from the paper. */
export function philox(counter: readonly number[], key: readonly number[]): number[] {
  let [x0, x1, x2, x3] = counter.map((w) => BigInt(w >>> 0))
  let [k0, k1] = key.map((w) => BigInt(w >>> 0))
  for (let round = 0; round < 10; round++) {
    const [p0, p1] = [0xd2511f53n * x0, 0xcd9e8d57n * x2]
    ;[x0, x1, x2, x3] = [(p1 >> 32n) ^ x1 ^ k0, p1 & MASK, (p0 >> 32n) ^ x3 ^ k1, p0 & MASK]
    k0 = (k0 + 0x9e3779b9n) & MASK
    k1 = (k1 + 0xbb67ae85n) & MASK
  }
  return [x0, x1, x2, x3].map(Number)
}

/** The first n words of a stream as {@link Kernels.randomUniform} numbers them. */
export function words(n: number, seedLow: number, seedHigh: number, stream: number, counter: number): number[] {
  return Array.from({ length: n }, (_, i) => philox([i >>> 2, counter, stream, 0], [seedLow, seedHigh])[i & 3])
}

/** Φ⁻¹(p) by bisection on Φ, for 0 < p < 1. */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p)
  let [low, high] = [-10, 0]
  for (let step = 0; step < 80; step++) {
    const middle = (low + high) / 2
    if (0.5 * erfc(-middle / Math.SQRT2) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}
