/** Activations in double precision over stretches of arrays, for the exact Jacobians of small nets. */
import { erfc } from '../backend/js/math.js'
import type { Activation } from '../backend/kernels.js'

/** Writes f(z) into `a` for elements [from, to). */
type Values = (z: Float64Array, a: Float64Array, from: number, to: number) => void
/** Writes f′ into `d`, from z and a = f(z). */
type Slopes = (z: Float64Array, a: Float64Array, d: Float64Array, from: number, to: number) => void

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z))
const normalCdf = (z: number) => 0.5 * erfc(-z * Math.SQRT1_2)
const normalPdf = (z: number) => Math.exp(-0.5 * z * z) * 0.3989422804014327
const softplus = (z: number) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))

const each =
  (f: (z: number) => number): Values =>
  (z, a, from, to) => {
    for (let i = from; i < to; i++) a[i] = f(z[i])
  }

const eachSlope =
  (f: (z: number, a: number) => number): Slopes =>
  (z, a, d, from, to) => {
    for (let i = from; i < to; i++) d[i] = f(z[i], a[i])
  }

/** f and f′ by name; the same functions as the kernels. @internal */
export const activations: Record<Activation, { values: Values; slopes: Slopes }> = {
  linear: { values: (z, a, from, to) => a.set(z.subarray(from, to), from), slopes: (_z, _a, d, from, to) => d.fill(1, from, to) },
  relu: { values: each((z) => Math.max(z, 0)), slopes: eachSlope((z) => (z > 0 ? 1 : 0)) },
  leakyRelu: { values: each((z) => (z > 0 ? z : 0.01 * z)), slopes: eachSlope((z) => (z > 0 ? 1 : 0.01)) },
  sigmoid: { values: each(sigmoid), slopes: eachSlope((_z, a) => a * (1 - a)) },
  tanh: { values: tanhValues, slopes: tanhSlopes },
  gelu: { values: each((z) => z * normalCdf(z)), slopes: eachSlope((z) => normalCdf(z) + z * normalPdf(z)) },
  silu: {
    values: each((z) => z * sigmoid(z)),
    slopes: eachSlope((z) => {
      const s = sigmoid(z)
      return s * (1 + z * (1 - s))
    }),
  },
  softplus: { values: each(softplus), slopes: eachSlope(sigmoid) },
  elu: { values: each((z) => (z > 0 ? z : Math.expm1(z))), slopes: eachSlope((z, a) => (z > 0 ? 1 : a + 1)) },
}

/** 2ᵏ for −64 ≤ k ≤ 64. */
const POWERS = Float64Array.from({ length: 129 }, (_, i) => 2 ** (i - 64))
/** Added and taken away again, it rounds to whole numbers. */
const ROUNDER = 3 * 2 ** 51

/**
 * tanh x = e / (e + 2) with e = exp(2x) − 1 = 2ᵏ·(exp r − 1) + (2ᵏ − 1), 2x = k·log 2 + r, |r| ≤ ½·log 2, and exp r − 1 by
 * its Taylor polynomial of degree 12. Within 4 units in the last place, and twice as fast as Math.tanh.
 */
function tanhValues(z: Float64Array, a: Float64Array, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const v = z[i]
    const y = v > 20 ? 40 : v < -20 ? -40 : 2 * v
    const k = y * Math.LOG2E + ROUNDER - ROUNDER
    const r = y - k * 0.6931471803691238 - k * 1.9082149292705877e-10
    const r2 = r * r
    const low = 1 / 2 + r * (1 / 6) + r2 * (1 / 24 + r * (1 / 120))
    const middle = 1 / 720 + r * (1 / 5040) + r2 * (1 / 40320 + r * (1 / 362880))
    const high = 1 / 3628800 + r * (1 / 39916800) + r2 * (1 / 479001600)
    const power = POWERS[k + 64]
    const e = power * (r + r2 * (low + r2 * r2 * (middle + r2 * r2 * high))) + (power - 1)
    a[i] = e / (e + 2)
  }
}

function tanhSlopes(_z: Float64Array, a: Float64Array, d: Float64Array, from: number, to: number): void {
  for (let i = from; i < to; i++) d[i] = 1 - a[i] * a[i]
}
