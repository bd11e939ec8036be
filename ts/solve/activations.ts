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

function tanhValues(z: Float64Array, a: Float64Array, from: number, to: number): void {
  for (let i = from; i < to; i++) a[i] = Math.tanh(z[i])
}

function tanhSlopes(_z: Float64Array, a: Float64Array, d: Float64Array, from: number, to: number): void {
  for (let i = from; i < to; i++) d[i] = 1 - a[i] * a[i]
}
