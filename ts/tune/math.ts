/**
 * Exponential, logarithm and normal distribution from + − × ÷ √ alone: engines differ in the last bit of Math.exp and Math.log, and one
 * bit decides which candidate a sampler takes. With these the same seed gives the same trials on every runtime.
 * @internal
 */

import { normalQuantileBy } from '../common/normal-quantile.js'

const LN2_HIGH = 0.6931471803691238
const LN2_LOW = 1.9082149292705877e-10

/** Exact powers of 2 with integer exponents, including subnormal numbers. */
const POWERS = Float64Array.from({ length: 2100 }, (_, i) => {
  let [power, base] = [1, i < 1075 ? 0.5 : 2]
  for (let n = Math.abs(i - 1075); n > 0; n >>= 1) {
    if (n & 1) power *= base
    base *= base
  }
  return power
})

/** eˣ within two units of the last place. */
export function exp(x: number): number {
  if (!(x > -745.2)) return x === x ? 0 : x
  if (x > 709.78) return Number.POSITIVE_INFINITY
  const n = Math.round(x / LN2_HIGH)
  const high = x - n * LN2_HIGH
  const low = n * LN2_LOW
  const r = high - low
  // the rational approximation of fdlibm (Ng 1992)
  const t = r * r
  const c =
    r -
    t *
      (0.16666666666666602 +
        t * (-0.0027777777777015593 + t * (6.613756321437934e-5 + t * (-1.6533902205465252e-6 + t * 4.1381367970572385e-8))))
  return (1 - (low - (r * c) / (2 - c) - high)) * POWERS[n + 1075]
}

/** Views of one double as two words. */
const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0

/** ln x within two units of the last place. */
export function log(x: number): number {
  if (!(x > 0) || x === Number.POSITIVE_INFINITY) return x === 0 ? Number.NEGATIVE_INFINITY : x < 0 ? Number.NaN : x
  let exponent = 0
  if (x < 2.2250738585072014e-308) {
    x *= 2 ** 54
    exponent = -54
  }
  double[0] = x
  exponent += (words[HIGH] >>> 20) - 1023
  words[HIGH] = (words[HIGH] & 0xfffff) | 0x3ff00000
  let mantissa = double[0]
  if (mantissa > Math.SQRT2) {
    mantissa /= 2
    exponent++
  }
  const f = mantissa - 1
  const s = f / (2 + f)
  const z = s * s
  const series =
    z *
    (0.6666666666666735 +
      z *
        (0.3999999999940942 +
          z *
            (0.2857142874366239 +
              z * (0.22222198432149784 + z * (0.1818357216161805 + z * (0.15313837699209373 + z * 0.14798198605116586))))))
  const half = 0.5 * f * f
  return exponent * LN2_HIGH - (half - (s * (half + series) + exponent * LN2_LOW) - f)
}

/**
 * Φ(x), the area of the standard normal distribution below x, absolute error about 1e-15 (Marsaglia 2004; Shepp's continued fraction far
 * out).
 */
export function normalCdf(x: number): number {
  if (x < -38) return 0
  if (x > 38) return 1
  const density = 0.3989422804014327 * exp(-0.5 * x * x)
  if (Math.abs(x) > 5) {
    let fraction = 0
    for (let k = 40; k > 0; k--) fraction = k / (Math.abs(x) + fraction)
    const tail = density / (Math.abs(x) + fraction)
    return x < 0 ? tail : 1 - tail
  }
  let [sum, term] = [x, x]
  for (let k = 3; ; k += 2) {
    term *= (x * x) / k
    const next = sum + term
    if (next === sum) break
    sum = next
  }
  return 0.5 + density * sum
}

/** Φ⁻¹(p) for 0 < p < 1, about 1e-16 relative. */
export function normalQuantile(p: number): number {
  return normalQuantileBy(log, p)
}
