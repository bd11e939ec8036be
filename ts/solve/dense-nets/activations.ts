/** Activations in double precision without a kernel. */
import { normalCdf, normalPdf, SELU_ABOVE, SELU_BELOW, sigmoid } from '../../backend/js/math.js'
import type { Activation } from '../../backend/kernels.js'

/** Writes f(z) into `a`. */
type Values = (z: Float64Array, a: Float64Array) => void
/** Writes f′ into `d`, from z and a = f(z). */
type Slopes = (z: Float64Array, a: Float64Array, d: Float64Array) => void

const softplus = (z: number) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))

const each =
  (f: (z: number) => number): Values =>
  (z, a) => {
    for (let i = 0; i < a.length; i++) a[i] = f(z[i])
  }

const eachSlope =
  (f: (z: number, a: number) => number): Slopes =>
  (z, a, d) => {
    for (let i = 0; i < d.length; i++) d[i] = f(z[i], a[i])
  }

/** These need no function here: linear computes nothing, and the others have kernels. */
export type Other = Exclude<Activation, 'linear' | 'tanh' | 'sigmoid'>

/** f and f′ by name; the same functions as the kernels in single precision. @internal */
export const activations: Record<Other, { values: Values; slopes: Slopes }> = {
  relu: { values: each((z) => Math.max(z, 0)), slopes: eachSlope((z) => (z > 0 ? 1 : 0)) },
  leakyRelu: { values: each((z) => (z > 0 ? z : 0.01 * z)), slopes: eachSlope((z) => (z > 0 ? 1 : 0.01)) },
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
  mish: {
    values: each((z) => z * Math.tanh(softplus(z))),
    slopes: eachSlope((z) => {
      const t = Math.tanh(softplus(z))
      return t + z * sigmoid(z) * (1 - t) * (1 + t)
    }),
  },
  selu: {
    values: each((z) => (z > 0 ? SELU_ABOVE * z : SELU_BELOW * Math.expm1(z))),
    slopes: eachSlope((z, a) => (z > 0 ? SELU_ABOVE : a + SELU_BELOW)),
  },
}
